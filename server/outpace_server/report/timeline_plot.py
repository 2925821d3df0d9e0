"""One step of a profile, drawn: a row for each lane, the same colour for the same code."""

from __future__ import annotations

from collections import Counter

from outpace_optimizers.profiles.records import Lane, Stretch, Timeline
from outpace_server.output.words import one_line, seconds
from outpace_server.report.markup import Markup, join, tag
from outpace_server.report.plots import LEFT, LETTER, RIGHT, ROW, TOP, drawing, label, row_name

COLOURS = 8
"""So many are told apart (style.py); what takes less of the step is grey."""
TICKS = 5


def timeline_plot(timeline: Timeline) -> Markup:
    colours = _colours(timeline)
    bottom = TOP + ROW * len(timeline.lanes)
    rows = [_lane(lane, row, timeline.seconds, colours) for row, lane in enumerate(timeline.lanes)]
    said = f"{seconds(timeline.seconds)}, the step of median length as it was recorded; paler: the backward pass"
    return drawing("A step as it went", said, bottom, _axis(timeline.seconds, bottom), rows)


def _colours(timeline: Timeline) -> dict[str, str]:
    """By name, the longest first."""
    total: Counter[str] = Counter()
    for lane in timeline.lanes:
        for one in lane.stretches:
            total[one.name] += round(one.seconds * 1e9)
    return {name: f"part{number}" for number, (name, _) in enumerate(total.most_common(COLOURS))}


def _lane(lane: Lane, row: int, whole_s: float, colours: dict[str, str]) -> Markup:
    y = TOP + ROW * row
    drawn = [_stretch(one, y, whole_s, colours.get(one.name, "part")) for one in lane.stretches]
    return tag("g", row_name(lane.name, y + ROW / 2), drawn)


def _stretch(one: Stretch, y: float, whole_s: float, colour: str) -> Markup:
    """A name that does not fit is in the title only."""
    x, width = (value / whole_s * (RIGHT - LEFT) for value in (one.start, one.seconds))
    name = one_line(one.name)
    said = f"{name}{', backward' if one.backward else ''}: {seconds(one.seconds)}"
    kind = f"{colour} back" if one.backward else colour
    box = tag("rect", x=LEFT + x, y=y + 2, width=max(width - 0.5, 0.5), height=ROW - 4, class_=kind)
    short = name if len(name) * LETTER < width else name.rpartition(".")[2]
    fits = len(short) * LETTER < width
    text = label(LEFT + x + 4, y + ROW / 2 + 4, short, anchor="start") if fits else Markup()
    return tag("g", tag("title", said), box, text)


def _axis(whole_s: float, bottom: float) -> Markup:
    ticks: list[Markup] = []
    for number in range(TICKS):
        x = LEFT + (RIGHT - LEFT) * number / (TICKS - 1)
        words = seconds(whole_s * number / (TICKS - 1)) if number else "0"
        line = tag("line", x1=x, x2=x, y1=TOP, y2=bottom + 4, class_="grid")
        ticks.append(join(line, label(x, bottom + 20, words, anchor="end" if number == TICKS - 1 else "middle")))
    return tag("g", tag("line", x1=LEFT, x2=RIGHT, y1=bottom, y2=bottom, class_="axis"), ticks)
