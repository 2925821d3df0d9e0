from __future__ import annotations

from lsprotocol import types

from outpace_server.lsp.desk import Finding
from outpace_server.lsp.publishing import best_of_each_target, certified, header_range
from outpace_server.lsp.server import OutpaceServer
from outpace_server.lsp.sheet import Sheet
from outpace_server.output.words import seconds, timing_words

OPTIONS = types.InlayHintOptions(resolve_provider=False)


def inlay_hint(ls: OutpaceServer, params: types.InlayHintParams) -> list[types.InlayHint] | None:
    """What one call of a measured target takes, and which share of a step a profiled one, at the end of its first
    line."""
    sheet = ls.sheet(params.text_document.uri)
    if sheet is None:
        return None
    wanted = sheet.range_in_document(params.range)
    measured = _measured(ls, sheet) if ls.settings.inlay_hints_enable else []
    profiled = _profiled(ls, sheet) if ls.settings.profile_inlay_hints_enable else []
    hints = [*measured, *profiled]
    return [hint for line, hint in hints if sheet.holds(line) and wanted.start.line <= line <= wanted.end.line] or None


def _measured(ls: OutpaceServer, sheet: Sheet) -> list[tuple[int, types.InlayHint]]:
    findings = ls.findings(sheet.document)
    timed = best_of_each_target(findings) + [f for f in findings if f.confirmed]
    return [(f.region.header, _hint(sheet, f)) for f in timed if f.trial.verdict.timings]


def _profiled(ls: OutpaceServer, sheet: Sheet) -> list[tuple[int, types.InlayHint]]:
    """Of what it would pay to make faster, or would have: of code that has changed no number is shown."""
    marks, annotations = ls.profiles.marks(sheet.document)
    if annotations is None:
        return []
    from outpace_server.lsp.profile_words import details, label

    changed = sum(one.stale and not one.method for one in marks)
    return [
        (
            one.region.header,
            types.InlayHint(
                position=sheet.shown(header_range(sheet.document, one.region)).end,
                label=label(one),
                padding_left=True,
                tooltip=details(one, annotations, changed, markdown=False),
            ),
        )
        for one in marks
        if one.mark.worth_it
    ]


def _hint(sheet: Sheet, finding: Finding) -> types.InlayHint:
    verdict = finding.trial.verdict
    slowest = max(verdict.timings, key=lambda timing: timing.baseline_s)
    taken = slowest.candidate_s if finding.applied else slowest.baseline_s
    what = "fwd + bwd" if verdict.trains else "a call"  # VS Code (1.139) cuts all hints of a line at 43 characters
    lines = [timing_words(timing) for timing in verdict.timings]
    lines += ["forward and backward in one window"] * verdict.trains
    return types.InlayHint(
        position=sheet.shown(header_range(sheet.document, finding.region)).end,
        label=f"{seconds(taken)} {what}",
        padding_left=True,
        tooltip="\n".join([*lines, certified(finding.trial)]),
    )
