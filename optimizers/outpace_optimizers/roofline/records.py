"""One target's roofline, as it is kept and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from outpace_audit.records import Machine
from outpace_audit.roofline.records import Ceilings, Measured

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Roofline:
    format: int
    target: str
    kind: str
    path: str
    digests: Mapping[str, str]
    """Of the functions that it is made of, by qualified name: what was measured."""
    machine: Machine
    ceilings: Ceilings
    measured: Measured
    calls: tuple[int, ...] = ()
    """How often each workload was seen in the captured run; nothing where they are declared."""
    notes: tuple[str, ...] = ()
    measured_at: float = 0.0
    """In seconds since 1970."""

    @property
    def weights(self) -> tuple[float, ...]:
        """Of the workloads, alike where nobody counted."""
        number = len(self.measured.points)
        return tuple(map(float, self.calls)) if len(self.calls) == number and sum(self.calls) else (1.0,) * number
