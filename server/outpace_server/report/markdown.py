"""The evidence behind one verdict as a Markdown document: every check, every time, and how to measure it again."""

from __future__ import annotations

import math
from collections.abc import Sequence

from outpace_audit.records import Check
from outpace_server.output.words import evidence, gain, one_line, ratio, seconds
from outpace_server.report.record import STATISTICS, Record

FENCE = "```"


def markdown(record: Record) -> str:
    trial, verdict = record.trial, record.verdict
    outcome = "accepted" if verdict.accepted else f"rejected: {one_line(verdict.reason)}"
    lines = [
        f"# {_text(trial.target)}: {_text(trial.idea.title)}",
        "",
        f"**{_text(outcome)}** {gain(verdict)}".rstrip(),
        "",
    ]
    lines += [f"- {heading}: {_text(text)}" for heading, text in evidence(trial)]
    lines += _pairs(record) + _errors(record) + _floors(record)
    head = ("level", "check", "", "evidence", "limit")
    lines += ["", "## Checks", "", *_table(head, [_row(check) for check in verdict.checks])]
    fence = FENCE
    while fence in trial.diff:
        fence += "`"
    lines += ["", "## Change", "", f"{fence}diff", trial.diff.rstrip("\n"), fence, ""]
    return "\n".join(lines)


def _row(check: Check) -> tuple[str, ...]:
    return check.level, check.name, "✓" if check.passed else "✗", check.evidence, check.threshold


def _pairs(record: Record) -> list[str]:
    timings = record.verdict.timings
    if not timings:
        return []
    most = max(len(timing.log_ratios) for timing in timings)
    rows = [
        (timing.workload, timing.mode, *(ratio(math.exp(value)) for value in timing.log_ratios)) for timing in timings
    ]
    head = ("workload", "mode", *(f"pair {number + 1}" for number in range(most)))
    return ["", "## Speedup of each pair of fresh processes", "", *_table(head, rows)]


def _errors(record: Record) -> list[str]:
    if not record.errors:
        return []
    rows = [
        (errors.path, errors.workload, side, *(f"{values.get(name, 0.0):.1e}" for name in STATISTICS))
        for errors in record.errors
        for side, values in (("baseline", errors.baseline), ("candidate", errors.candidate))
    ]
    head = ("tensor", "workload", "side", *STATISTICS.values())
    return ["", "## Relative errors against truth", "", *_table(head, rows)]


def _floors(record: Record) -> list[str]:
    rows = [
        (timing.workload, *map(seconds, (timing.baseline_s, timing.candidate_s, record.floors_s[timing.workload])))
        for timing in record.verdict.timings
        if timing.workload in record.floors_s
    ]
    head = ("workload", "baseline", "candidate", "floor: unavoidable bytes at the memory's peak")
    return ["", "## Distance from the floor", "", *_table(head, rows)] if rows else []


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_line(head), "|" + "---|" * len(head), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_text(cell).replace("|", "\\|") for cell in cells) + " |"


def _text(text: str) -> str:
    """In one line, and no HTML: what renders Markdown must not run what a candidate wrote."""
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;")
