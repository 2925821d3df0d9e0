"""Rooflines of an imagined machine whose figures are easy to reckon with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from outpace_audit.records import Machine
from outpace_audit.roofline.records import FORMAT, CallTime, Ceilings, Measured, Point, Rate, Work
from outpace_optimizers.roofline.records import FORMAT as KEPT_FORMAT
from outpace_optimizers.roofline.records import Roofline

MACHINE = Machine("cpu", "A CPU", "", "A CPU", 2, "3.11.7", "2.13.0", None, None, None)


def rate(name: str, kind: Any, best: float) -> Rate:
    return Rate(name, kind, best, best, 9, 1)


CEILINGS = Ceilings(
    FORMAT, "cpu", "A CPU", "", None, "2.13.0", 2, 0.0,
    (
        rate("read", "memory", 8e9), rate("copy", "memory", 10e9),
        rate("fp32", "compute", 100e9), rate("bf16", "compute", 400e9), rate("as-called", "launch", 2e-6),
    ),
    foreign_share=0.0,
)  # fmt: skip
"""10 GB/s, 100 and 400 GFLOP/s, 2 µs a launch; no cache is known."""
CACHED = replace(CEILINGS, cache_bytes=100e6, rates=(*CEILINGS.rates, rate("copy", "cache", 50e9)))
WORK = Work({"fp32": 1e9}, 4e6, 4e6, 2e6, 0.0, 5, 30e6)
"""A GFLOP, 10 MB at least: 10 ms to compute, 1 ms to move."""


def timed(seconds: float, mode: Any = "as-called", between: float = 0.0) -> CallTime:
    return CallTime(mode, seconds, 0.9 * seconds, 1.1 * seconds, 32, between)


def point(work: Work = WORK, seconds: float = 20e-3, sets: int = 1) -> Point:
    return Point("x 2x3", work, (timed(seconds),), sets)


def measured(*points: Point, trains: bool = True) -> Measured:
    return Measured(trains, False, points or (point(),), 0.0)


def roofline(**differing: Any) -> Roofline:
    fields: dict[str, Any] = {
        "format": KEPT_FORMAT, "target": "step", "kind": "function", "path": "/nowhere/train.py",
        "digests": {"step": "as it was"}, "machine": MACHINE, "ceilings": CEILINGS, "measured": measured(),
    }  # fmt: skip
    return Roofline(**(fields | differing))
