from __future__ import annotations

from lsprotocol import types

from outpace_server.lsp.desk import Finding
from outpace_server.lsp.publishing import best_of_each_target, header_range
from outpace_server.lsp.server import OutpaceServer
from outpace_server.output.words import ratio, step_words

OPTIONS = types.CodeLensOptions(resolve_provider=False)


def code_lens(ls: OutpaceServer, params: types.CodeLensParams) -> list[types.CodeLens] | None:
    """One for the best change of each target, one for what was applied and measured again: each lens moves the code."""
    sheet = ls.sheet(params.text_document.uri)
    if sheet is None or not ls.settings.code_lens_enable:
        return None
    document = sheet.document
    findings = ls.findings(document)
    shown = best_of_each_target(findings) + [f for f in findings if f.confirmed and f.trial.verdict.accepted]
    return [
        types.CodeLens(
            range=sheet.shown(header_range(document, finding.region)), command=_command(ls, document.uri, finding)
        )
        for finding in shown
        if sheet.holds(finding.region.header)
    ] or None


def _command(ls: OutpaceServer, uri: str, finding: Finding) -> types.Command:
    id = finding.trial.id
    if ls.previews(uri) and not finding.applied:
        return types.Command(title=_title(ls, finding), command="outpace.showDiff", arguments=[uri, id])
    return types.Command(title=_title(ls, finding), command="outpace.showAudit", arguments=[id])


def _title(ls: OutpaceServer, finding: Finding) -> str:
    """`$(zap) 1.42× audited, step 1.08× computed`; intervals are in the hint's tooltip, the hover, the diagnostic."""
    icon, state = ("check", "applied, measured again") if finding.applied else ("zap", "audited")
    audited = f"{ratio(finding.trial.verdict.speedup or 1.0)} {state}"
    words = ", ".join(filter(None, (audited, step_words(finding.trial))))
    return f"$({icon}) {words}" if ls.features.preview else words
