"""The plots of a report, as inline SVG: no script, colours from the page's style, a title and a description each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from outpace_audit.records import Timing
from outpace_audit.samples import Samples
from outpace_server.output.words import amount, one_line, ratio, seconds, span
from outpace_server.report.markup import Child, Markup, join, scroller, tag
from outpace_server.report.record import STATISTICS, TensorErrors
from outpace_server.report.scale import LogScale
from outpace_server.report.style import STYLE

WIDTH = 720.0
LEFT, RIGHT, TOP, ROW, BOTTOM = 92.0, 700.0, 26.0, 22.0, 28.0
"""Of the area that is drawn on: names stand left of it, the axis below."""

HEIGHT = 300.0
"""Of a roofline's area."""

LETTER = 6.2
"""The width of one, on average."""

BARS_LEFT, PERCENT_ROOM, LONGEST_NAME = 300.0, 60.0, 42
"""Where bars of named parts begin, what is left for their numbers, and the longest name that fits, in characters."""


def pairs_plot(timing: Timing, samples: list[Samples], needed: float | None) -> Markup:
    """A row per process pair: its windows as dots, their median as a bar; the interval as a band over all rows."""
    speedups = [math.exp(value) for value in timing.log_ratios]
    windows = [[baseline / candidate for baseline, candidate in one.per_call()] for one in samples]
    marks = [value for row in windows for value in row] + speedups + [1.0, *timing.interval, needed or 1.0]
    scale = LogScale.over(marks, LEFT, RIGHT)
    bottom = TOP + ROW * len(speedups)
    low, high = (scale.at(end) for end in timing.interval)
    drawn = [
        tag("rect", x=low, y=TOP, width=max(high - low, 1.0), height=bottom - TOP, class_="band"),
        _rule(scale.at(timing.speedup), bottom, "mean"),
        _rule(scale.at(1.0), bottom, "one"),
        label(scale.at(1.0), 18.0, "equal", anchor="middle"),
    ]
    if needed is not None:
        drawn += [_rule(scale.at(needed), bottom, "needed")]
    for row, speedup in enumerate(speedups):
        y = TOP + ROW * (row + 0.5)
        dots = windows[row] if row < len(windows) else []
        drawn += [row_name(f"pair {row + 1}", y)]
        drawn += [tag("circle", cx=scale.at(value), cy=y, r=2.5, class_="dot") for value in dots]
        drawn += [tag("rect", x=scale.at(speedup) - 2, y=y - 7, width=4.0, height=14.0, class_="median")]
    said = f"{ratio(timing.speedup)} {span(timing.interval)} over {timing.pairs} pairs of fresh processes"
    if needed is not None:
        said += f"; the lower end must exceed {needed:.3g}"
    return drawing(
        f"Speedup of {timing.workload} ({timing.mode}), pair by pair", said, bottom, _axis(scale, bottom, _times), drawn
    )


def errors_plot(errors: TensorErrors) -> Markup:
    """A row per statistic: the baseline's error as a ring, the candidate's as a diamond."""
    shown = [(name, key) for key, name in STATISTICS.items() if key in errors.baseline and key in errors.candidate]
    values = [side[key] for _, key in shown for side in (errors.baseline, errors.candidate)]
    scale = LogScale.over(values, LEFT, RIGHT)
    bottom = TOP + ROW * len(shown)
    drawn: list[Markup] = []
    for row, (name, key) in enumerate(shown):
        y = TOP + ROW * (row + 0.5)
        ours, theirs = scale.at(errors.baseline[key]), scale.at(errors.candidate[key])
        drawn += [
            row_name(name, y),
            tag("line", x1=ours, x2=theirs, y1=y, y2=y, class_="grid"),
            tag("circle", cx=ours, cy=y, r=8.0, class_="ring"),
            tag("path", d=f"M{theirs:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5z", class_="candidate"),
        ]
    told = [f"{name}: {errors.baseline[key]:.2g} and {errors.candidate[key]:.2g}" for name, key in shown]
    return drawing(
        f"Relative error of {errors.path} ({errors.workload}) against truth",
        f"baseline and candidate: {'; '.join(told)}",
        bottom,
        _axis(scale, bottom, _power),
        drawn,
    )


def floor_plot(workload: str, floor_s: float, baseline_s: float, candidate_s: float) -> Markup:
    """How far a call of either side is from what the unavoidable bytes take at the memory's peak: a bar from there."""
    rows = (("baseline", baseline_s), ("candidate", candidate_s))
    scale = LogScale.over([floor_s, baseline_s, candidate_s], LEFT, RIGHT)
    bottom = TOP + ROW * len(rows)
    floor = scale.at(floor_s)
    drawn = [_rule(floor, bottom, "needed"), label(floor, 18.0, "floor", anchor="middle")]
    for row, (name, value) in enumerate(rows):
        y, end = TOP + ROW * (row + 0.5), scale.at(value)
        bar = tag("rect", x=min(floor, end), y=y - 6, width=max(abs(end - floor), 2.0), height=12.0, class_=name)
        drawn += [row_name(name, y), bar]
    said = f"baseline {seconds(baseline_s)}, candidate {seconds(candidate_s)}, floor {seconds(floor_s)}"
    return drawing(f"Time of a call of {workload}, and its floor", said, bottom, _axis(scale, bottom, seconds), drawn)


def shares_plot(title: str, parts: Sequence[tuple[str, float]], whole: float) -> Markup:
    """A bar for each part, in seconds of `whole`; on a linear axis, which ends at the largest."""
    longest = max(value for _, value in parts)
    bottom = TOP + ROW * len(parts)
    drawn: list[Markup] = []
    for row, (name, value) in enumerate(parts):
        y = TOP + ROW * (row + 0.5)
        width = (RIGHT - BARS_LEFT - PERCENT_ROOM) * value / longest if longest else 0.0
        drawn += [
            label(
                BARS_LEFT - 10,
                y + 4,
                name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…",
                anchor="end",
            ),
            tag("rect", x=BARS_LEFT, y=y - 7, width=max(width, 1.0), height=14.0, class_="candidate"),
            label(BARS_LEFT + width + 6, y + 4, f"{100 * value / whole:.1f}%", anchor="start"),
        ]
    axis = tag("line", x1=BARS_LEFT, x2=BARS_LEFT, y1=TOP, y2=bottom, class_="axis")
    told = "; ".join(f"{name} {100 * value / whole:.1f}%" for name, value in parts[:5])
    return drawing(title, f"{seconds(whole)} in all: {told}", bottom, axis, drawn)


@dataclass(frozen=True, slots=True)
class Roof:
    """A line of `rate`: bytes/s rise with intensity, FLOP/s do not. `class_` is its style."""

    name: str
    rate: float
    rises: bool
    class_: str

    def at(self, intensity: float) -> float:
        return self.rate * intensity if self.rises else self.rate


def roofline_plot(
    title: str, description: str, roofs: Sequence[Roof], points: Sequence[tuple[float, float, float]]
) -> Markup:
    """FLOP/s over FLOP/B, both logarithmic. `points`: (intensity, achieved, attainable), each a dot with a line up."""
    flat = max((roof.rate for roof in roofs if not roof.rises), default=1.0)
    ridges = [flat / roof.rate for roof in roofs if roof.rises]
    across = LogScale.over([*(x for x, _, _ in points), *ridges, *(4 * x for x in ridges), 0.1], LEFT, RIGHT)
    heights = [*(y for _, y, _ in points), *(top for _, _, top in points), *(r.rate for r in roofs if not r.rises)]
    bottom = TOP + HEIGHT
    up = LogScale.over([*heights, min(heights) / 4, 1.5 * flat], bottom, TOP)
    names = Labels([(LEFT, up.at(roof.rate) - 1, RIGHT - LEFT, 2.0) for roof in roofs if not roof.rises])
    steepest = max((roof.rate for roof in roofs if roof.rises), default=0.0)
    met_first = sorted(roofs, key=lambda roof: roof.class_ != "roof")
    drawn = [mark for roof in met_first for mark in _roof(roof, across, up, flat, steepest, names)]
    for number, (x, y, top) in enumerate(points, 1):
        left, height = across.at(x), up.at(y)
        drawn += [
            tag("line", x1=left, x2=left, y1=height, y2=up.at(top), class_="needed"),
            tag("circle", cx=left, cy=height, r=5.0, class_="candidate"),
            label(left + 9, height + 4, str(number), anchor="start"),
        ]
    rows = [
        join(
            tag("line", x1=LEFT - 4, x2=RIGHT, y1=up.at(value), y2=up.at(value), class_="grid"),
            row_name(amount(value, "FLOP/s"), up.at(value)),
        )
        for value in up.ticks()
    ]
    axis = tag("g", _axis(across, bottom, lambda value: f"{value:g} FLOP/B"), rows)
    return drawing(title, description, bottom, axis, drawn)


def _roof(roof: Roof, across: LogScale, up: LogScale, highest: float, steepest: float, names: Labels) -> list[Markup]:
    """A rising roof ends at the highest flat one. Its name stands beside it."""
    first = max(across.low, up.low / roof.rate) if roof.rises else across.low
    last = min(across.high, highest / roof.rate) if roof.rises else across.high
    x1, x2, y1, y2 = across.at(first), across.at(last), up.at(roof.at(first)), up.at(roof.at(last))
    line = tag("line", x1=x1, x2=x2, y1=y1, y2=y2, class_=roof.class_)
    if not roof.rises:
        spots = [(x2 - 130.0 * turn, y2 + away, "end") for turn in range(4) for away in (-5, 14)]
        return [line, names.place(roof.name, spots)]
    along = [(x1 + (x2 - x1) * part, y1 + (y2 - y1) * part) for part in (0.1, 0.2, 0.3, 0.4)]
    left = roof.rate == steepest
    return [line, names.place(roof.name, [(x - 10, y, "end") if left else (x + 10, y + 4, "start") for x, y in along])]


Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, width, height."""


class Labels:
    """Places names so that none covers another."""

    def __init__(self, taken: Sequence[Box] = ()) -> None:
        self._taken = list(taken)

    def place(self, text: str, spots: Sequence[tuple[float, float, str]]) -> Markup:
        """At the first of the spots (x, y, anchor) that is free; where none is, at the last."""
        width = LETTER * len(text)
        boxes = [(x - width if anchor == "end" else x, y - 10.0, width, 12.0) for x, y, anchor in spots]
        free = (n for n, box in enumerate(boxes) if not any(_overlap(box, other) for other in self._taken))
        chosen = next(free, len(spots) - 1)
        self._taken.append(boxes[chosen])
        x, y, anchor = spots[chosen]
        return label(x, y, text, anchor=anchor)


def _overlap(one: Box, other: Box) -> bool:
    x, y, width, height = one
    left, top, wide, high = other
    return x < left + wide and left < x + width and y < top + high and top < y + height


def limits_plot(title: str, description: str, parts: Sequence[tuple[str, float]], measured_s: float) -> Markup:
    """What parts of a call take at least, in seconds, as bars that end left of what the whole takes."""
    shown = [(name, value) for name, value in parts if value > 0]
    scale = LogScale.over([*(value for _, value in shown), measured_s], LEFT, RIGHT)
    bottom = TOP + ROW * len(shown)
    end = scale.at(measured_s)
    drawn = [_rule(end, bottom, "mean"), label(end, 18.0, "a call", anchor="middle")]
    for row, (name, value) in enumerate(shown):
        y = TOP + ROW * (row + 0.5)
        width = max(scale.at(value) - LEFT, 2.0)
        drawn += [row_name(name, y), tag("rect", x=LEFT, y=y - 6, width=width, height=12.0, class_="baseline")]
    return drawing(title, description, bottom, _axis(scale, bottom, seconds), drawn)


def alone(figure: Markup) -> str:
    """The drawing of a figure as a file of its own, with the style of the reports."""
    drawing = figure[figure.index("<svg ") : figure.index("</svg>") + len("</svg>")]
    head = '<svg xmlns="http://www.w3.org/2000/svg" '
    paper = tag("rect", x=0.0, y=0.0, width=WIDTH, height=10 * WIDTH, class_="paper")
    start = drawing.index(">") + 1
    return f"{head}{drawing[len('<svg ') : start]}{tag('style', Markup(STYLE))}{paper}{drawing[start:]}\n"


def _times(value: float) -> str:
    return f"{value:g}×"


def _power(value: float) -> str:
    return f"{value:.0e}".replace("e-0", "e-")


def drawing(title: str, description: str, bottom: float, *children: Child) -> Markup:
    """In a figure whose caption says in words what the drawing shows."""
    box = f"0 0 {WIDTH:g} {bottom + BOTTOM:g}"
    svg = tag("svg", *children, viewBox=box, role="img", aria_label=one_line(title))
    caption = tag("figcaption", tag("strong", one_line(title)), ": ", one_line(description))
    return tag("figure", caption, scroller(f"plot: {one_line(title)}", svg))


def _axis(scale: LogScale, bottom: float, words: Callable[[float], str]) -> Markup:
    ticks = [
        join(
            tag("line", x1=scale.at(value), x2=scale.at(value), y1=TOP, y2=bottom + 4, class_="grid"),
            label(scale.at(value), bottom + 20, words(value), anchor="middle"),
        )
        for value in scale.ticks()
    ]
    return tag("g", tag("line", x1=LEFT, x2=RIGHT, y1=bottom, y2=bottom, class_="axis"), ticks)


def _rule(x: float, bottom: float, kind: str) -> Markup:
    return tag("line", x1=x, x2=x, y1=TOP - 4, y2=bottom, class_=kind)


def row_name(text: str, y: float) -> Markup:
    return label(LEFT - 10, y + 4, text, anchor="end")


def label(x: float, y: float, text: str, *, anchor: str) -> Markup:
    return tag("text", one_line(text), x=x, y=y, text_anchor=anchor)
