"""What the roofline is made of. Times in seconds, sizes in bytes, rates per second. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

FORMAT = 1
"""Of kept ceilings and rooflines; raised when how they are measured changes."""

NOISY = 0.15
"""Best and median of a ceiling's repeats differ by more than this share: others are at work, or clocks move."""

RateKind = Literal["memory", "cache", "compute", "launch"]


@dataclass(frozen=True, slots=True)
class Rate:
    """One ceiling. `best` and `median` over the repeats, in bytes/s (memory, cache), FLOP/s (compute) or seconds for
    one launch; `size`: bytes touched, n of an n×n×n product, or launches in a row."""

    name: str
    kind: RateKind
    best: float
    median: float
    repeats: int
    size: int

    @property
    def spread(self) -> float:
        """How far the median is from the best, as a share of the latter or of the smaller time."""
        low, high = sorted((self.best, self.median))
        return high / low - 1 if low > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What one machine can do, as measured by the torch that uses it."""

    format: int
    device: Literal["cpu", "cuda"]
    name: str
    uuid: str
    driver: str | None
    torch: str
    threads: int
    cache_bytes: float
    """Of the last-level cache; 0 where the system does not say."""
    rates: tuple[Rate, ...]
    missing: Mapping[str, str] = field(default_factory=dict[str, str])
    """What could not be measured, and why."""
    foreign_share: float | None = None
    """Of all processors' time, what other programs used meanwhile. None on a GPU, and where the system hides it."""
    measured_at: float = 0.0
    """In seconds since 1970."""

    def of(self, kind: RateKind) -> tuple[Rate, ...]:
        return tuple(rate for rate in self.rates if rate.kind == kind)

    @property
    def noisy(self) -> tuple[Rate, ...]:
        return tuple(rate for rate in self.rates if rate.spread > NOISY)


@dataclass(frozen=True, slots=True)
class Work:
    """What one call does, forward or (`trains`) forward and backward."""

    flops: Mapping[str, float]
    """By the precision of the operands (fp32, bf16, ...): matrix products, convolutions, attention; none pointwise."""
    input_bytes: float
    """Of the inputs, only those of which every secretly changed part changed the result."""
    parameter_bytes: float
    """Of parameters and buffers that were read; of a table that is gathered from, the rows."""
    output_bytes: float
    gradient_bytes: float
    """Cotangents read and gradients written; 0 forward only."""
    operators: int
    """Operators that run something, as the code is written: not views, not compiled or fused."""
    moved_bytes: float
    """What these operators read and write, each on its own."""
    uncounted: tuple[str, ...] = ()
    """Operators that compute, and whose FLOPs nobody here can count."""

    @property
    def least_bytes(self) -> float:
        """That no implementation can avoid, each tensor once."""
        return self.input_bytes + self.parameter_bytes + self.output_bytes + self.gradient_bytes

    @property
    def total_flops(self) -> float:
        return sum(self.flops.values())


@dataclass(frozen=True, slots=True)
class CallTime:
    """`seconds` is the median over the windows of two fresh processes; `low` and `high` are their quartiles."""

    mode: Literal["as-called", "graph"]
    seconds: float
    low: float
    high: float
    windows: int
    between: float
    """How far the medians of the two processes are apart, as a share: the same code in both."""


@dataclass(frozen=True, slots=True)
class Point:
    """One workload, measured."""

    workload: str
    work: Work
    times: tuple[CallTime, ...]
    """On CUDA replayed as a graph first, where it can be captured; then as called."""
    sets: int
    """Sets of inputs that the timed calls rotate through."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One target on one machine."""

    trains: bool
    compiled: bool
    """It uses torch.compile, whose kernels are not counted as operators."""
    points: tuple[Point, ...]
    foreign_share: float | None = None
    notes: tuple[str, ...] = ()
