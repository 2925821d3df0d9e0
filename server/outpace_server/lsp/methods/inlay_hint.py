from __future__ import annotations

from lsprotocol import types

from outpace_server.lsp.desk import Finding
from outpace_server.lsp.publishing import best_of_each_target, certified, header_range
from outpace_server.lsp.server import OutpaceServer
from outpace_server.lsp.sheet import Sheet
from outpace_server.output.words import seconds, timing_words

OPTIONS = types.InlayHintOptions(resolve_provider=False)


def inlay_hint(ls: OutpaceServer, params: types.InlayHintParams) -> list[types.InlayHint] | None:
    """What one call of a measured target takes, at the end of its first line."""
    sheet = ls.sheet(params.text_document.uri)
    if sheet is None or not ls.settings.inlay_hints_enable:
        return None
    wanted = sheet.range_in_document(params.range)
    findings = ls.findings(sheet.document)
    timed = best_of_each_target(findings) + [f for f in findings if f.confirmed]
    return [
        _hint(sheet, finding)
        for finding in timed
        if finding.trial.verdict.timings
        and sheet.holds(finding.region.header)
        and wanted.start.line <= finding.region.header <= wanted.end.line
    ] or None


def _hint(sheet: Sheet, finding: Finding) -> types.InlayHint:
    verdict = finding.trial.verdict
    slowest = max(verdict.timings, key=lambda timing: timing.baseline_s)
    taken = slowest.candidate_s if finding.applied else slowest.baseline_s
    what = "forward and backward" if verdict.trains else "a call"
    lines = [timing_words(timing) for timing in verdict.timings]
    return types.InlayHint(
        position=sheet.shown(header_range(sheet.document, finding.region)).end,
        label=f"{seconds(taken)} {what}",
        padding_left=True,
        tooltip="\n".join([*lines, certified(finding.trial)]),
    )
