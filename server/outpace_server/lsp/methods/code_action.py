from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types
from pygls.workspace import TextDocument

from outpace_optimizers.records import Trial
from outpace_optimizers.source import lines_of
from outpace_server.lsp.edits import workspace_edit
from outpace_server.lsp.publishing import SOURCE, best_of_each_target
from outpace_server.lsp.regions import region_of
from outpace_server.lsp.server import OutpaceServer
from outpace_server.output.words import gain, one_line

REWRITE = f"{types.CodeActionKind.RefactorRewrite.value}.outpace"
OPTIONS = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, REWRITE], resolve_provider=True)


def code_action(ls: OutpaceServer, params: types.CodeActionParams) -> list[types.CodeAction] | None:
    """From memory: the best change of each target as a quick fix, the others as rewrites, and the evidence."""
    document = ls.document(params.text_document.uri)
    if document is None or not ls.settings.enable:
        return None
    wanted = document.position_codec.range_from_client_units(lines_of(document.source), params.range)
    offers = ls.desk.offers(document.uri, document.source)
    best = {trial.id for trial in best_of_each_target(offers)}
    actions: list[types.CodeAction] = []
    for trial in offers:
        region = region_of(document.source, trial.idea.patch)
        if region.first <= wanted.end.line and wanted.start.line <= region.last:
            actions += _actions(ls, document, trial, trial.id in best, params.context)
    return [action for action in actions if _asked_for(action.kind, params.context.only)] or None


def _actions(
    ls: OutpaceServer, document: TextDocument, trial: Trial, best: bool, context: types.CodeActionContext
) -> Iterator[types.CodeAction]:
    kind = types.CodeActionKind.QuickFix if best else REWRITE
    of_this = [d for d in context.diagnostics if d.source == SOURCE and d.code == trial.idea.rule]
    verdict = trial.verdict
    apply = types.CodeAction(
        title=f"Apply {one_line(trial.idea.title)}: {gain(verdict)} ({verdict.numerics}, {verdict.level})",
        kind=kind,
        diagnostics=of_this or None,
        is_preferred=best and verdict.numerics == "exact",
        data={"uri": document.uri, "id": trial.id},
    )
    yield apply if ls.features.resolves_edits else with_edit(ls, document, apply, trial)
    show = types.Command(title="Show audit", command="outpace.showAudit", arguments=[trial.id])
    yield types.CodeAction(title=f"Show audit of {trial.idea.rule}: {gain(verdict)}", kind=kind, command=show)


def with_edit(ls: OutpaceServer, document: TextDocument, action: types.CodeAction, trial: Trial) -> types.CodeAction:
    new_source = trial.idea.patch.new_source
    action.edit = workspace_edit(document, new_source, document_changes=ls.features.document_changes)
    action.command = types.Command(title="Measure again", command="outpace.applied", arguments=[document.uri, trial.id])
    return action


def _asked_for(kind: str | types.CodeActionKind | None, only: Sequence[str | types.CodeActionKind] | None) -> bool:
    """Kinds are a hierarchy: `refactor` asks for `refactor.rewrite.outpace` too."""
    name = str(getattr(kind, "value", kind))
    return not only or any(f"{name}.".startswith(f"{getattr(one, 'value', one)}.") for one in only)
