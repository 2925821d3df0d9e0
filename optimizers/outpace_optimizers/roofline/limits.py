"""The arithmetic of the roofline: what a call takes at least, what it is bound by, how much faster it could be.

A call of F_p FLOPs in precision p, with B bytes that must move, takes at least max(sum of F_p / peak_p, B / bandwidth,
one launch): the three can overlap, and none can be avoided. All figures are measured ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from outpace_audit.roofline.records import CallTime, Ceilings, Measured, Point, Rate, RateKind, Work

Bound = Literal["compute", "memory", "latency"]
WITHIN = 1.1
"""A call that takes at most this many times its limit is at it: ceilings and times are no better known."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that each part of a call takes at least; `launch_s` of a single operator."""

    compute_s: float
    memory_s: float
    launch_s: float
    bandwidth: float
    """Bytes/s that `memory_s` stands on."""
    cached_share: float
    """Of the bytes, what the last-level cache may hold from one call to the next."""
    unlimited: tuple[str, ...] = ()
    """Precisions of FLOPs for which there is no ceiling, so that they count as if they took no time."""

    @property
    def seconds(self) -> float:
        return max(self.compute_s, self.memory_s, self.launch_s)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one workload stands, in one of the ways in which it was timed."""

    workload: str
    work: Work
    time: CallTime
    limits: Limits
    bound: Bound
    dispatch_s: float | None
    """What its operators take at least to be called one by one; None where what is launched is not known."""

    @property
    def speedup(self) -> float:
        """The best possible one. Below 1 where a call is faster than ceilings or counts allow."""
        return self.time.seconds / self.limits.seconds

    @property
    def at_limit(self) -> bool:
        return self.speedup <= WITHIN

    @property
    def flops_per_s(self) -> float:
        return self.work.total_flops / self.time.seconds

    @property
    def bytes_per_s(self) -> float:
        """Of the least bytes."""
        return self.work.least_bytes / self.time.seconds

    @property
    def intensity(self) -> float:
        """FLOPs for each of the least bytes."""
        return self.work.total_flops / self.work.least_bytes if self.work.least_bytes else 0.0


def standings(measured: Measured, ceilings: Ceilings) -> tuple[Standing, ...]:
    """Of each workload by the time that decides: a replayed graph where there is one, else as called."""
    return tuple(standing(point, ceilings, compiled=measured.compiled) for point in measured.points)


def standing(point: Point, ceilings: Ceilings, *, compiled: bool = False) -> Standing:
    time = point.times[0]
    launch = launch_of(ceilings, time.mode)
    limits = limits_of(point, ceilings, launch)
    dispatch = None if compiled else launch * point.work.operators
    return Standing(point.workload, point.work, time, limits, bound_of(limits, dispatch), dispatch)


def limits_of(point: Point, ceilings: Ceilings, launch_s: float) -> Limits:
    peaks = {rate.name: rate.best for rate in ceilings.of("compute")}
    compute_s = sum(flops / peaks[name] for name, flops in point.work.flops.items() if name in peaks)
    memory, cache = best(ceilings, "memory"), best(ceilings, "cache")
    least = point.work.least_bytes
    share = cached_share(point, ceilings.cache_bytes) if cache is not None else 0.0
    memory_s = 0.0
    if memory is not None:
        memory_s = least * (1 - share) / memory.best
    if cache is not None:
        memory_s += least * share / max(cache.best, memory.best if memory else 0.0)
    missing = tuple(sorted(name for name, flops in point.work.flops.items() if flops and name not in peaks))
    return Limits(compute_s, memory_s, launch_s, least / memory_s if memory_s else 0.0, share, missing)


def cached_share(point: Point, cache_bytes: float) -> float:
    """Of the bytes that the timed calls go round in (`sets` sets of inputs and outputs, one of parameters), what fits
    into the cache. The best that any order of evictions can do, so that the limit stays one."""
    work = point.work
    whole = point.sets * (work.input_bytes + work.output_bytes) + work.parameter_bytes + work.gradient_bytes
    return min(1.0, cache_bytes / whole) if whole else 1.0


def best(ceilings: Ceilings, kind: RateKind) -> Rate | None:
    """The fastest of reading, copying and triad: a call may do any mix of them."""
    return max(ceilings.of(kind), key=lambda rate: rate.best, default=None)


def launch_of(ceilings: Ceilings, mode: str) -> float:
    """Seconds; 0 where it was not measured."""
    return next((rate.best for rate in ceilings.of("launch") if rate.name == mode), 0.0)


def bound_of(limits: Limits, dispatch_s: float | None) -> Bound:
    """Latency where calling the operators alone takes longer than their work would; else what takes longest."""
    calling = limits.launch_s if dispatch_s is None else dispatch_s
    if calling > max(limits.compute_s, limits.memory_s):
        return "latency"
    return "compute" if limits.compute_s >= limits.memory_s else "memory"


def best_speedup(found: Sequence[Standing], weights: Sequence[float] | None = None) -> float:
    """Of all workloads together: their times over their limits, each as often as `weights` say it occurs. A workload
    that is faster than its limit has none to gain."""
    weighed = list(zip(found, weights or [1.0] * len(found), strict=True))
    whole = sum(weight * one.time.seconds for one, weight in weighed)
    least = sum(weight * min(one.limits.seconds, one.time.seconds) for one, weight in weighed)
    return whole / least if least else 1.0
