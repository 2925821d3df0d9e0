"""What must be known to read a roofline, and when it is not to be believed."""

from __future__ import annotations

from outpace_audit.roofline.records import Measured
from outpace_audit.thresholds import FOREIGN_SHARE
from outpace_optimizers.roofline.ceilings import disturbance
from outpace_optimizers.roofline.limits import Standing, standings
from outpace_optimizers.roofline.records import Roofline

APART = 0.1
"""Two processes of the same code that differ by more than this say that the time is not to be trusted."""
BEYOND = 0.95
"""Of its limit: a call that takes less than this is faster than it can be, by more than noise."""


def disturbed(found: Roofline) -> str:
    """Why its distance from the limit is not to be believed, in words; empty where nothing speaks for that."""
    trouble = disturbance(found.ceilings)
    if trouble:
        return f"its ceilings were disturbed ({trouble})"
    if (found.measured.foreign_share or 0.0) > FOREIGN_SHARE:
        return f"it was timed while other programs used {found.measured.foreign_share:.0%} of the processors"
    for one in standings(found.measured, found.ceilings):
        if one.time.between > APART:
            return f"two processes of the same code differed by {one.time.between:.0%}"
        if one.speedup < BEYOND or one.limits.unlimited or one.work.uncounted:
            return f"its limit is not known well enough ({one.workload})"
    return ""


def remarks(measured: Measured, found: tuple[Standing, ...]) -> list[str]:
    lines: list[str] = []
    if measured.foreign_share is not None and measured.foreign_share > FOREIGN_SHARE:
        lines.append(
            f"other programs used {measured.foreign_share:.0%} of the processors while calls were timed: they are "
            "faster on a quiet machine"
        )
    for one in found:
        lines += [f"{one.workload}: {text}" for text in _remarks_on(one)]
    if measured.compiled:
        lines.append("it uses torch.compile: operators are counted as written, so that no launches can be counted")
    return lines


def _remarks_on(one: Standing) -> list[str]:
    lines: list[str] = []
    if one.time.between > APART:
        lines.append(f"two processes of the same code differ by {one.time.between:.0%}: measure again")
    if one.limits.cached_share > 0.5:
        lines.append(
            f"{one.limits.cached_share:.0%} of what its calls go round in fits the last-level cache: the bandwidth of "
            "the cache limits it, not that of the memory"
        )
    if one.speedup < BEYOND:
        lines.append(
            f"faster than the limit ({1 / one.speedup:.2f} times): the ceilings were measured too low, caches further "
            "in serve it, or it needs less work than was counted; nothing can be said of its distance"
        )
    if one.limits.unlimited:
        lines.append(f"no ceiling was measured for {', '.join(one.limits.unlimited)}: its FLOPs limit nothing here")
    if one.work.uncounted:
        lines.append(f"FLOPs of {', '.join(one.work.uncounted)} are not counted: the limit may be too low")
    return lines
