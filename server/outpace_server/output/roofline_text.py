"""The roofline in characters: FLOP/s over FLOP/B, or bars of what a call takes at least where it has no FLOPs."""

from __future__ import annotations

from collections.abc import Sequence

from outpace_optimizers.roofline.limits import Standing, best
from outpace_optimizers.roofline.records import Roofline
from outpace_server.output.words import amount, seconds
from outpace_server.report.scale import LogScale

WIDTH, HEIGHT = 60, 14
MARGIN = 14
"""Columns left of the drawing, for the names of rates and parts."""


def drawing(found: Roofline, stands: Sequence[Standing]) -> list[str]:
    counted = [one for one in stands if one.work.total_flops]
    lines = _roofs(found, counted) if counted else []
    return [*lines, *(line for one in stands if not one.work.total_flops for line in bars(one))]


def bars(one: Standing) -> list[str]:
    """What each part takes at least, and the whole call, on one logarithmic axis."""
    parts = {
        "memory": one.limits.memory_s, "compute": one.limits.compute_s, "one launch": one.limits.launch_s,
        "operators": one.dispatch_s or 0.0, "a call": one.time.seconds,
    }  # fmt: skip
    shown = {name: value for name, value in parts.items() if value > 0}
    scale = LogScale.over(shown.values(), 1, WIDTH)
    return [f"{name:>{MARGIN - 2}}  {'█' * round(scale.at(value))} {seconds(value)}" for name, value in shown.items()]


def _roofs(found: Roofline, counted: Sequence[Standing]) -> list[str]:
    """The roof that the counted workloads are under, as `/` and `─`; each workload a digit at its place."""
    peaks = [rate.best for rate in found.ceilings.of("compute") if any(rate.name in one.work.flops for one in counted)]
    memory = best(found.ceilings, "memory")
    if not peaks or memory is None:
        return []
    peak, slope = max(peaks), max(memory.best, *(one.limits.bandwidth for one in counted))
    points = [(one.intensity, one.flops_per_s) for one in counted]
    across = LogScale.over([*(x for x, _ in points), peak / slope / 8, 8 * peak / slope], 0, WIDTH - 1)
    up = LogScale.over([*(y for _, y in points), peak / 100, peak], HEIGHT - 1, 0)
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]
    low, high = across.low, across.high
    for column in range(WIDTH):
        intensity = low * (high / low) ** (column / (WIDTH - 1))
        roof = min(peak, slope * intensity)
        if roof >= up.low:
            grid[round(up.at(roof))][column] = "─" if roof == peak else "/"
    for number, (x, y) in enumerate(points, 1):
        grid[round(up.at(y))][round(across.at(x))] = str(number % 10)
    names = {0: amount(up.high, "FLOP/s"), HEIGHT - 1: amount(up.low, "FLOP/s")}
    lines = [f"{names.get(row, ''):>{MARGIN - 2}} │{''.join(cells).rstrip()}" for row, cells in enumerate(grid)]
    axis = f"{low:.3g} FLOP/B"
    return [*lines, f"{'':>{MARGIN - 2}} └{'─' * WIDTH}", f"{'':>{MARGIN}}{axis}{f'{high:.3g}':>{WIDTH - len(axis)}}"]
