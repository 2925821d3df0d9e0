"""A roofline as a page of HTML or a picture that needs nothing else."""

from __future__ import annotations

from pathlib import Path

from outpace_audit.roofline.records import Rate
from outpace_optimizers.roofline.limits import Standing, best, standings
from outpace_optimizers.roofline.records import Roofline
from outpace_server.output.roofline_view import rate_words, size_words, standing_lines, verdict
from outpace_server.output.words import machine_words, one_line
from outpace_server.report.html import document_of, section
from outpace_server.report.markup import Child, Markup, table, tag
from outpace_server.report.plots import Roof, alone, limits_plot, roofline_plot


def roofline_page(found: Roofline) -> str:
    stands = standings(found.measured, found.ceilings)
    head = tag(
        "header",
        tag("h1", _title(found)),
        [tag("p", f"{number}. {one_line(one.workload)}: {verdict(one)}") for number, one in enumerate(stands, 1)],
    )
    facts = {"file": found.path, "called": _called(found), "hardware": machine_words(found.machine)}
    items = [item for name, text in facts.items() for item in (tag("dt", name), tag("dd", text))]
    notes = section("Notes", tag("ul", [tag("li", note) for note in found.notes])) if found.notes else Markup()
    key = (
        "A dot is what a call achieves, the line above it leads to what the measured ceilings allow at its intensity: "
    )
    key += "FLOPs for each byte that it cannot do without. The dashed lines are ceilings that it does not meet."
    return document_of(
        _title(found),
        tag(
            "main", head, tag("dl", items),
            section("Roofline", tag("p", key, class_="key"), [_roofs(found, stands)]) if _counted(stands) else Markup(),
            section("What a call takes at least", [_limits(one) for one in stands]), _ceilings(found), notes,
        ),
    )  # fmt: skip


def roofline_drawing(found: Roofline) -> str:
    """The roofline; where no FLOPs were counted, the limits of the first workload."""
    stands = standings(found.measured, found.ceilings)
    return alone(_roofs(found, stands) if _counted(stands) else _limits(stands[0]))


def _title(found: Roofline) -> str:
    return f"Roofline of {one_line(found.target)} in {Path(found.path).name}"


def _called(found: Roofline) -> str:
    return f"{'forward and backward' if found.measured.trains else 'forward only'}, {found.ceilings.threads} threads"


def _counted(stands: tuple[Standing, ...]) -> list[Standing]:
    return [one for one in stands if one.work.total_flops]


def _roofs(found: Roofline, stands: tuple[Standing, ...]) -> Markup:
    counted = _counted(stands)
    used = {name for one in counted for name in one.work.flops}
    roofs = [
        Roof(f"{rate.name}, {rate_words(rate)}", rate.best, False, "roof" if rate.name in used else "other")
        for rate in found.ceilings.of("compute")
    ]
    cached = any(one.limits.cached_share > 0 for one in counted)
    roofs += [
        Roof(f"{kind}, {rate_words(rate)}", rate.best, True, "roof" if met else "other")
        for kind, met in (("memory", not all(one.limits.cached_share >= 1 for one in counted)), ("cache", cached))
        if (rate := best(found.ceilings, kind)) is not None  # pyright: ignore[reportArgumentType]
    ]
    points = [(one.intensity, one.flops_per_s, one.work.total_flops / one.limits.seconds) for one in counted]
    said = "; ".join(f"{n}: {one_line(one.workload)}, {verdict(one)}" for n, one in enumerate(counted, 1))
    return roofline_plot(_title(found), said, roofs, points)


def _limits(one: Standing) -> Markup:
    parts = [
        ("compute", one.limits.compute_s), ("memory", one.limits.memory_s), ("one launch", one.limits.launch_s),
        ("operators", one.dispatch_s or 0.0),
    ]  # fmt: skip
    return limits_plot(one_line(one.workload), "; ".join(standing_lines(one)[1:]), parts, one.time.seconds)


def _ceilings(found: Roofline) -> Markup:
    rows: list[list[Child]] = [_row(rate) for rate in found.ceilings.rates]
    rows.extend([f"{name}: not measured", reason, "", ""] for name, reason in found.ceilings.missing.items())
    head = ["ceiling", "best", "median lower by", "over"]
    return section("Ceilings", table("Measured on this machine; the best of several repeats", head, rows))


def _row(rate: Rate) -> list[Child]:
    return [f"{rate.kind} {rate.name}", rate_words(rate), f"{100 * rate.spread:.1f}%", size_words(rate)]
