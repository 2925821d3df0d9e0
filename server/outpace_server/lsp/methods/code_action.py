from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
from lsprotocol import types
from pygls.workspace import TextDocument

from outpace_optimizers.records import MODEL_RULE
from outpace_server.lsp.desk import Finding
from outpace_server.lsp.optimizing import path_of
from outpace_server.lsp.publishing import SOURCE, best_of_each_target
from outpace_server.lsp.server import OutpaceServer
from outpace_server.output.words import gain, one_line, rejected_line, step_words

PROFILE = f"{types.CodeActionKind.Source.value}.outpace.profile"
REWRITE = f"{types.CodeActionKind.RefactorRewrite.value}.outpace"
OPTIONS = types.CodeActionOptions(
    code_action_kinds=[types.CodeActionKind.QuickFix, REWRITE, PROFILE], resolve_provider=True
)


def code_action(
    ls: OutpaceServer, params: types.CodeActionParams
) -> list[types.CodeAction] | list[types.Command] | None:
    """From memory: the best change of each target as a quick fix with what can be done about it, the others as
    rewrites, and those that were rejected as disabled ones. As commands where the client takes nothing else."""
    sheet = ls.sheet(params.text_document.uri)
    if sheet is None:
        return None
    ls.attend()
    document, wanted = sheet.document, sheet.range_in_document(params.range)
    findings = ls.findings(document)
    here = [one for one in findings if one.region.first <= wanted.end.line and wanted.start.line <= one.region.last]
    targets = {one.trial.target for one in here}
    best = {one.trial.id for one in best_of_each_target(f for f in findings if f.trial.target in targets)}
    actions: list[types.CodeAction] = []
    for finding in here:
        actions += _actions(ls, document, finding, finding.trial.id in best, params.context)
    actions += _of_profiles(document) if params.context.only else []  # vim-lsp (2026) asks for each kind by name
    actions = [action for action in actions if _asked_for(action.kind, params.context.only)]
    if ls.features.action_literals:
        return actions or None
    return [attrs.evolve(one.command, title=one.title) for one in actions if one.command] or None


def _of_profiles(document: TextDocument) -> Iterator[types.CodeAction]:
    """For editors without a menu of commands; in none of those that a light bulb opens."""
    path = path_of(document.uri)
    if path is not None and path.suffix == ".py":
        for title, name in ((f"Profile {path.name}...", "outpace.profile"), ("Show profile", "outpace.showProfile")):
            command = types.Command(title=title, command=name, arguments=[document.uri])
            yield types.CodeAction(title=title, kind=PROFILE, command=command)


def _actions(
    ls: OutpaceServer, document: TextDocument, finding: Finding, best: bool, context: types.CodeActionContext
) -> Iterator[types.CodeAction]:
    editable = ls.features.action_literals or ls.features.applies_edits
    if finding.applied:
        yield from [_revert(ls, document, finding)] * editable
    elif finding.trial.verdict.accepted:
        yield from [_apply(ls, document, finding, best, context)] * editable
        yield from _more(ls, document, finding) if best else [_dismiss(document, finding, REWRITE)]
    elif ls.features.disabled_actions and ls.settings.rejected_enable:
        reason = types.CodeActionDisabled(reason=f"measured but rejected: {rejected_line(finding.trial)}")
        yield types.CodeAction(title=f"Apply {one_line(finding.trial.idea.title)}", kind=REWRITE, disabled=reason)


def _apply(
    ls: OutpaceServer, document: TextDocument, finding: Finding, best: bool, context: types.CodeActionContext
) -> types.CodeAction:
    trial, verdict = finding.trial, finding.trial.verdict
    of_this = [d for d in context.diagnostics if d.source == SOURCE and d.code == trial.idea.rule]
    won = ", ".join(filter(None, (gain(verdict) or one_line(verdict.reason), step_words(trial))))
    written = MODEL_RULE in trial.idea.rule.split("+")
    known = f"{verdict.numerics}, {verdict.level}{', written by a model' if written else ''}"
    action = types.CodeAction(
        title=f"Apply {_what(finding)}: {won} ({known})",
        kind=types.CodeActionKind.QuickFix if best else REWRITE,
        diagnostics=of_this or None,
        # None, for Eglot (1.9) takes a false for a true
        is_preferred=(ls.features.preferred_actions and best and verdict.numerics == "exact") or None,
        data={"uri": document.uri, "id": trial.id} if ls.features.resolves_edits else None,
        tags=[types.CodeActionTag.LlmGenerated] if written and ls.features.tagged_actions else None,
    )
    if not ls.features.action_literals:
        action.command = types.Command(title=action.title, command="outpace.apply", arguments=[document.uri, trial.id])
        return action
    return action if ls.features.resolves_edits else with_edit(ls, document, action, finding)


def _what(finding: Finding) -> str:
    """A combination exists only where it was measured itself."""
    trial = finding.trial
    parts = trial.idea.rule.count("+") + 1
    return f"all {parts} audited edits of {trial.target}" if parts > 1 else one_line(trial.idea.title)


def _more(ls: OutpaceServer, document: TextDocument, finding: Finding) -> Iterator[types.CodeAction]:
    id, uri = finding.trial.id, document.uri
    again = types.Command(title="Measure again", command="outpace.remeasure", arguments=[uri])
    commands = [
        types.Command(title=f"Show audit of {finding.trial.idea.rule}", command="outpace.showAudit", arguments=[id]),
        *([] if finding.trial.whole_text else [again]),
    ]
    if ls.previews(uri):
        commands.insert(0, types.Command(title="Preview the change", command="outpace.showDiff", arguments=[uri, id]))
    for command in commands:
        yield types.CodeAction(title=command.title, kind=types.CodeActionKind.QuickFix, command=command)
    yield _dismiss(document, finding, types.CodeActionKind.QuickFix)


def _dismiss(document: TextDocument, finding: Finding, kind: str) -> types.CodeAction:
    title = f"Dismiss {finding.trial.idea.rule} here"
    command = types.Command(title=title, command="outpace.dismiss", arguments=[document.uri, finding.trial.id])
    return types.CodeAction(title=title, kind=kind, command=command)


def _revert(ls: OutpaceServer, document: TextDocument, finding: Finding) -> types.CodeAction:
    title = f"Revert {one_line(finding.trial.idea.title)}"
    command = types.Command(title=title, command="outpace.revert", arguments=[document.uri, finding.trial.id])
    lost = finding.confirmed and not finding.trial.verdict.accepted
    action = types.CodeAction(title=title, kind=types.CodeActionKind.QuickFix if lost else REWRITE)
    if ls.features.applies_edits:
        action.command = command
    else:
        action.edit = ls.edit(document, finding.new_text(document.source))
    return action


def with_edit(
    ls: OutpaceServer, document: TextDocument, action: types.CodeAction, finding: Finding
) -> types.CodeAction:
    id = finding.trial.id
    new_text = finding.new_text(document.source)
    ls.desk.hand_out(document.uri, finding.trial, document.source, new_text)
    action.edit = ls.edit(document, new_text)
    if ls.features.resolves_commands or not ls.features.resolves_edits:
        action.command = types.Command(title="Measure again", command="outpace.applied", arguments=[document.uri, id])
    return action


def _asked_for(kind: str | types.CodeActionKind | None, only: Sequence[str | types.CodeActionKind] | None) -> bool:
    """Kinds are a hierarchy: `refactor` asks for `refactor.rewrite.outpace` too, and the empty kind for all."""
    name = str(getattr(kind, "value", kind))
    wanted = [str(getattr(one, "value", one)) for one in only or ()]
    return not wanted or any(not one or f"{name}.".startswith(f"{one}.") for one in wanted)
