"""Best so far over a night's time, with every trial: as inline SVG, told apart by shape as well as by colour."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from outpace_optimizers.overnight.records import Dot, TargetProgress
from outpace_server.output.night import gain_of, hours
from outpace_server.output.words import one_line, ratio
from outpace_server.report.markup import Markup, tag
from outpace_server.report.plots import HEIGHT, LEFT, RIGHT, TOP, drawing, label
from outpace_server.report.scale import LogScale

STRIP = 26.0
"""The height of the strip for what was never timed, below the axis of speedups."""
TIMES_S = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 4 * 3600, 8 * 3600, 24 * 3600)
MOST_TICKS = 8


def night_plot(target: TargetProgress, until_s: float) -> Markup:
    """Up to `until_s` of the night's work."""
    timed = [dot for dot in target.dots if dot.tried.interval is not None and dot.tried.speedup is not None]
    ends = [end for dot in timed for end in dot.tried.interval or ()]
    best = best_line(target.dots)
    # Downwards: a larger speedup lies higher.
    scale = LogScale.over([1.0, *ends, *(dot.tried.speedup or 1.0 for dot in timed)], -HEIGHT, -TOP)
    span = max(until_s, *(dot.at_s for dot in target.dots), 1.0)
    bottom = HEIGHT + STRIP

    def x(at_s: float) -> float:
        return LEFT + (RIGHT - LEFT) * at_s / span

    steps = f"M{LEFT:.1f} {-scale.at(1.0):.1f}"
    for at_s, speedup in [*best, (span, best[-1][1] if best else 1.0)]:
        steps += f"H{x(at_s):.1f}V{-scale.at(speedup):.1f}"
    drawn = [
        *_speed_axis(scale, bottom),
        *_time_axis(span, bottom),
        tag("path", d=steps, class_="so-far"),
        *(_mark(dot, x(dot.at_s), scale) for dot in target.dots),
    ]
    return drawing(f"{target.place.label}: best so far", _told(target, best), bottom, drawn)


def best_line(dots: Sequence[Dot]) -> list[tuple[float, float]]:
    """When the best so far changed, and to what: the speedup of the trial with the highest lower bound."""
    line: list[tuple[float, float]] = []
    low = 1.0
    for dot in sorted(dots, key=lambda one: one.at_s):
        interval, speedup = dot.tried.interval, dot.tried.speedup
        if dot.tried.accepted and interval is not None and speedup is not None and interval[0] > low:
            low = interval[0]
            line.append((dot.at_s, speedup))
    return line


def _told(target: TargetProgress, best: Sequence[tuple[float, float]]) -> str:
    rises = "; ".join(f"{ratio(speedup)} after {hours(at_s)}" for at_s, speedup in best) or "nothing was accepted"
    untimed = sum(dot.tried.interval is None for dot in target.dots)
    return f"{len(target.dots)} trials, {untimed} of them never timed; best so far: {rises}"


def _mark(dot: Dot, x: float, scale: LogScale) -> Markup:
    """A filled dot was accepted, a ring timed and rejected, a cross never timed; a line is its interval."""
    tried = dot.tried
    title = tag("title", one_line(f"{tried.title}: {gain_of(tried) or tried.failed}, after {hours(dot.at_s)}"))
    if tried.interval is None or tried.speedup is None:
        y = HEIGHT + STRIP / 2
        return tag("g", title, tag("path", d=f"M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8", class_="cross"))
    y, (low, high) = -scale.at(tried.speedup), (-scale.at(end) for end in tried.interval)
    kind = "won" if tried.accepted else "lost"
    return tag(
        "g",
        title,
        tag("line", x1=x, x2=x, y1=low, y2=high, class_=f"whisker {kind}"),
        tag("circle", cx=x, cy=y, r=4.0, class_=kind),
    )


def _speed_axis(scale: LogScale, bottom: float) -> Iterator[Markup]:
    for value in scale.ticks():
        y = -scale.at(value)
        yield tag("line", x1=LEFT, x2=RIGHT, y1=y, y2=y, class_="grid")
        yield label(LEFT - 10, y + 4, f"{value:g}×", anchor="end")
    yield tag("line", x1=LEFT, x2=RIGHT, y1=-scale.at(1.0), y2=-scale.at(1.0), class_="one")
    yield tag("line", x1=LEFT, x2=RIGHT, y1=HEIGHT, y2=HEIGHT, class_="grid")
    yield label(LEFT - 10, HEIGHT + STRIP / 2 + 4, "not timed", anchor="end")
    yield tag("line", x1=LEFT, x2=LEFT, y1=TOP, y2=bottom, class_="axis")


def _time_axis(span: float, bottom: float) -> Iterator[Markup]:
    step = next((one for one in TIMES_S if span / one <= MOST_TICKS), TIMES_S[-1])
    yield tag("line", x1=LEFT, x2=RIGHT, y1=bottom, y2=bottom, class_="axis")
    for number in range(math.floor(span / step) + 1):
        x = LEFT + (RIGHT - LEFT) * number * step / span
        yield tag("line", x1=x, x2=x, y1=bottom, y2=bottom + 4, class_="axis")
        yield label(x, bottom + 20, _tick(number * step), anchor="middle")


def _tick(at_s: float) -> str:
    if at_s % 3600 == 0 and at_s:
        return f"{at_s / 3600:g} h"
    return f"{at_s / 60:g} min" if at_s % 60 == 0 and at_s else f"{at_s:g} s"
