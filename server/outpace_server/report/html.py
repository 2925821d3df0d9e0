"""One verdict as a page of HTML: nothing is loaded, nothing runs, every value is escaped."""

from __future__ import annotations

import time

from outpace_audit.records import Check
from outpace_server.output.words import evidence, gain, ratio, seconds, span
from outpace_server.report.markup import Child, Markup, join, table, tag
from outpace_server.report.plots import errors_plot, floor_plot, pairs_plot
from outpace_server.report.record import STATISTICS, Record
from outpace_server.report.style import STYLE

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Whatever a bug of ours might let through: a browser loads nothing and runs nothing."""
MOST_ERROR_PLOTS = 4
"""The tensors nearest to their limit; all of them stand in the table."""


def page(record: Record) -> str:
    return document_of(title(record), body(record))


def document_of(title: str, body: Markup) -> str:
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"outpace: {title}"),
        tag("style", Markup(STYLE)),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', body), lang='en')}\n"


def title(record: Record) -> str:
    return f"{record.trial.target}: {record.trial.idea.title}"


def body(record: Record) -> Markup:
    """To be shown with STYLE."""
    sections = (_verdict(record), _speed(record), _errors(record), _floors(record), _checks(record))
    return tag("main", *sections, _change(record), _provenance(record))


def _verdict(record: Record) -> Markup:
    verdict = record.verdict
    word = tag("b", "✓ accepted", class_="good") if verdict.accepted else tag("b", "✗ rejected", class_="bad")
    said = gain(verdict) if verdict.accepted else f"{verdict.reason} {gain(verdict)}".rstrip()
    facts = [item for name, text in evidence(record.trial) for item in (tag("dt", name), tag("dd", text))]
    return tag("header", tag("h1", title(record)), tag("p", word, said, class_="verdict"), tag("dl", facts))


def section(heading: str, *children: Child) -> Markup:
    return tag("section", tag("h2", heading), *children, aria_label=heading)


def _speed(record: Record) -> Markup:
    timings = record.verdict.timings
    if not timings:
        return Markup()
    key = "Each row is one pair of fresh processes: a dot for each pair of windows, a bar for their median. "
    key += "The band is the interval of the speedup, the line in it the mean"
    key += "; the dashed line is what the band has to clear."
    figures = [pairs_plot(timing, record.samples(timing), needed) for timing, needed in record.timings]
    rows: list[list[Child]] = [
        [
            timing.workload, timing.mode, f"{ratio(timing.speedup)} {span(timing.interval)}",
            f"{100 * timing.confidence:.4g}%", f"{seconds(timing.baseline_s)} → {seconds(timing.candidate_s)}",
            str(timing.pairs),
        ]
        for timing in timings
    ]  # fmt: skip
    head = ["workload", "mode", "speedup", "confidence", "time of a call", "pairs"]
    return section("Speed", tag("p", key, class_="key"), figures, table("Speed by workload", head, rows))


def _errors(record: Record) -> Markup:
    if not record.errors:
        return Markup()
    key = "The ring is the baseline's error against truth, the diamond the candidate's: quantiles over all elements of "
    key += "all calls, and the largest. An error of 0 lies at the left edge."
    rows: list[list[Child]] = [
        [errors.path, errors.workload, side, *(f"{values.get(name, 0.0):.1e}" for name in STATISTICS)]
        for errors in record.errors
        for side, values in (("baseline", errors.baseline), ("candidate", errors.candidate))
    ]
    head = ["tensor", "workload", "side", *STATISTICS.values()]
    figures = [errors_plot(errors) for errors in record.errors[:MOST_ERROR_PLOTS]]
    return section("Errors", tag("p", key, class_="key"), figures, table("Relative errors against truth", head, rows))


def _floors(record: Record) -> Markup:
    floors = record.floors_s
    figures = [
        floor_plot(timing.workload, floors[timing.workload], timing.baseline_s, timing.candidate_s)
        for timing in record.verdict.timings
        if timing.workload in floors
    ]
    if not figures:
        return Markup()
    key = "The floor is what moving the bytes that no implementation can avoid takes at the memory's peak: the "
    key += "datasheet's of a GPU, a loose bound of a CPU. A call below it did not do its work."
    return section("Distance from the floor", tag("p", key, class_="key"), figures)


def _checks(record: Record) -> Markup:
    rows = [_check_row(check) for check in record.verdict.checks]
    return section(
        "Checks", table("In the order in which they ran", ["result", "level", "check", "evidence", "limit"], rows)
    )


def _check_row(check: Check) -> list[Child]:
    mark = tag("b", "✓ passed", class_="good") if check.passed else tag("b", "✗ failed", class_="bad")
    return [mark, check.level, tag("code", check.name), check.evidence, check.threshold]


def _change(record: Record) -> Markup:
    lines = [_diff_line(line) for line in record.trial.diff.rstrip("\n").split("\n")]
    return section("Change", tag("pre", tag("code", lines), tabindex="0", role="region", aria_label="diff"))


def _diff_line(line: str) -> Markup:
    kind = {"+": "plus", "-": "minus"}.get(line[:1])
    return join(tag("span", line, class_=kind) if kind else line, "\n")


def _provenance(record: Record) -> Markup:
    verdict = record.verdict
    facts = {"verdict": verdict.id, "auditor": f"version {verdict.auditor}"}
    if verdict.seeds is not None:
        facts["seeds, hash published before"] = verdict.seeds.commitment
        facts["seeds, root revealed after"] = verdict.seeds.root
    if record.evidence is not None:
        facts["measured"] = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(record.evidence.written_at))
        facts |= {f"SHA-256 of the {side}": text for side, text in record.evidence.sha256.items()}
    items = [item for name, text in facts.items() for item in (tag("dt", name), tag("dd", tag("code", text)))]
    return section("Provenance", tag("dl", items))
