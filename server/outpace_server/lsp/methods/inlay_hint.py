from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from lsprotocol import types

from outpace_server.lsp.desk import Finding
from outpace_server.lsp.publishing import best_of_each_target, certified, header_range
from outpace_server.lsp.regions import Region
from outpace_server.lsp.server import OutpaceServer
from outpace_server.lsp.sheet import Sheet
from outpace_server.output.words import seconds, timing_words

OPTIONS = types.InlayHintOptions(resolve_provider=False)
BETWEEN = " · "
"""What is said of one line: of several hints, some editors set one beside the other with nothing in between."""


@dataclass(frozen=True, slots=True)
class _Said:
    region: Region
    label: str
    tooltip: str
    brief: str = ""
    """The label after another one: VS Code (1.139) shows 43 characters of a line's hints."""

    @property
    def line(self) -> int:
        return self.region.header


def inlay_hint(ls: OutpaceServer, params: types.InlayHintParams) -> list[types.InlayHint] | None:
    """What one call of a measured target takes, and which share of a step a profiled one, at the end of its first
    line: one hint for a line."""
    sheet = ls.sheet(params.text_document.uri)
    if sheet is None:
        return None
    wanted = sheet.range_in_document(params.range)
    measured = list(_measured(ls, sheet)) if ls.settings.inlay_hints_enable else []
    profiled = list(_profiled(ls, sheet)) if ls.settings.profile_inlay_hints_enable else []
    said = [one for one in (*measured, *profiled) if sheet.holds(one.line)]
    shown = [one for one in said if wanted.start.line <= one.line <= wanted.end.line]
    lines = groupby(sorted(shown, key=attrgetter("line")), key=attrgetter("line"))
    return [_hint(sheet, list(together)) for _, together in lines] or None


def _hint(sheet: Sheet, said: list[_Said]) -> types.InlayHint:
    return types.InlayHint(
        position=sheet.shown(header_range(sheet.document, said[0].region)).end,
        label=BETWEEN.join([said[0].label, *(one.brief or one.label for one in said[1:])]),
        padding_left=True,
        tooltip="\n\n".join(one.tooltip for one in said),
    )


def _measured(ls: OutpaceServer, sheet: Sheet) -> Iterator[_Said]:
    findings = ls.findings(sheet.document)
    for finding in best_of_each_target(findings) + [f for f in findings if f.confirmed]:
        if finding.trial.verdict.timings:
            yield _of_a_call(finding)


def _profiled(ls: OutpaceServer, sheet: Sheet) -> Iterator[_Said]:
    """Of what it would pay to make faster, or would have: of code that has changed no number is shown."""
    marks, annotations = ls.profiles.marks(sheet.document)
    if annotations is None:
        return
    from outpace_server.lsp.profile_words import brief, details, label

    changed = sum(one.stale and not one.method for one in marks)
    for one in marks:
        if one.mark.worth_it:
            yield _Said(one.region, label(one), details(one, annotations, changed, markdown=False), brief(one))


def _of_a_call(finding: Finding) -> _Said:
    verdict = finding.trial.verdict
    slowest = max(verdict.timings, key=lambda timing: timing.baseline_s)
    taken = slowest.candidate_s if finding.applied else slowest.baseline_s
    what = "fwd + bwd" if verdict.trains else "a call"
    lines = [timing_words(timing) for timing in verdict.timings]
    lines += ["forward and backward in one window"] * verdict.trains
    return _Said(finding.region, f"{seconds(taken)} {what}", "\n".join([*lines, certified(finding.trial)]))
