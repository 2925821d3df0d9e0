"""What the judge has gathered so far, as the checks see it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from outpace_audit.errors import ArmError
from outpace_audit.process_state import StateChange
from outpace_audit.records import Check, Code, Level, Machine, Patch, Timing
from outpace_audit.seeds import SeedSource
from outpace_audit.sides import Reply


@dataclass(frozen=True, slots=True)
class Observation:
    """The same call on all three sides, on inputs in fresh storage.

    `probe` says what was special: fresh (new values), scaled (magnitudes changed too), or a check's own probe.
    `request` repeats the call. `perturbed(scale, seed)` asks the oracle for truth on noisy inputs.
    """

    workload: str
    probe: str
    request: Mapping[str, Any]
    truth: Reply | None
    baseline: Reply
    candidate: Reply
    nudged: Callable[[], Reply | None] = lambda: None
    """Truth for inputs, and each operation's result, moved by one rounding of fp32; None where results are narrower, or
    there is no truth."""
    shaken: Callable[[], Sequence[Reply]] = lambda: ()
    """Truths for both moved by as many roundings as a candidate may be off: they meet the kinks that it may meet."""
    swayed: Callable[[], Sequence[Reply]] = lambda: ()
    """Truths with the one element that is no number at two finite values instead; see values.MOVES."""
    perturbed: Callable[[float, int], list[torch.Tensor]] | None = None
    again: Callable[[], Observation | None] = lambda: None
    """The same call with other secret values; None where a side fails at it."""

    unchanged: tuple[Reply, Reply] | None = None
    """The baseline's and the candidate's reply before the one argument was changed that this call is about."""
    earlier: Reply | None = None
    """The candidate's reply to the same values in a plain call, which has been judged."""

    def is_plain_call_of(self, workload: str) -> bool:
        return self.probe == "fresh" and self.workload == workload

    @property
    def label(self) -> str:
        return f"{self.workload}, {self.probe} inputs"

    @property
    def magnitude(self) -> str:
        """Calls of one magnitude share an error budget: errors at other magnitudes do not excuse them."""
        return f"{self.workload}, scaled inputs" if self.probe == "scaled" else self.workload


@dataclass(frozen=True, slots=True)
class Probe:
    """One call off the beaten track: what was seen, or how the candidate failed where the baseline ran."""

    label: str
    seen: Observation | None
    failure: ArmError | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """A candidate's call under suspicion, and the same candidate's plain call on the same values."""

    label: str
    suspect: Reply
    plain: Reply


@dataclass(frozen=True, slots=True)
class RepeatedRuns:
    """Replies to one request, asked for again and again; `seen` holds the first of each side."""

    seen: Observation
    baseline: tuple[Reply, ...]
    candidate: tuple[Reply, ...]


@dataclass(frozen=True, slots=True)
class DroppedRuns:
    """Replies to one request in training mode with dropout as declared; `still`: the baseline's without any.
    `repeated`: of both sides again, under the seed of their first."""

    workload: str
    still: Reply
    baseline: tuple[Reply, ...]
    candidate: tuple[Reply, ...]
    repeated: tuple[Reply, Reply]


@dataclass(frozen=True, slots=True)
class HeldResults:
    """Of `calls` calls in a row: (call, path) of each result that the candidate changed later, and the baseline not."""

    workload: str
    calls: int
    overwritten: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class StateSeen:
    """What each side had changed in its process; `after` says when."""

    after: str
    baseline: tuple[StateChange, ...]
    candidate: tuple[StateChange, ...]


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Seconds per call of one window pair: claimed inside the arm, and measured outside."""

    workload: str
    baseline_claim: float
    baseline_outside: float
    candidate_claim: float
    candidate_outside: float


@dataclass(frozen=True, slots=True)
class MemoryWatch:
    """What compute-sanitizer said of `calls` calls. `report`: its first words, empty where it saw nothing; `inherited`:
    it says so of the baseline too. `not_seen`: why not all, or nothing, was looked at."""

    calls: int = 0
    report: str = ""
    inherited: bool = False
    not_seen: str = ""
    seconds: float = 0.0


@dataclass(slots=True)
class Evidence:
    """Filled level by level; a check reads only what its level has gathered."""

    baseline: Code
    candidate: Code
    patch: Patch | None
    policy: str
    machine: Machine
    trains: bool
    baseline_state: Mapping[str, Any] = field(default_factory=dict[str, Any])
    candidate_state: Mapping[str, Any] = field(default_factory=dict[str, Any])
    observations: list[Observation] = field(default_factory=list[Observation])
    states: list[StateSeen] = field(default_factory=list[StateSeen])
    candidate_failure: ArmError | None = None
    probes: dict[str, list[Probe]] = field(default_factory=lambda: defaultdict[str, list[Probe]](list))
    """By the check that judges them."""
    runs: list[RepeatedRuns] = field(default_factory=list[RepeatedRuns])
    drops: list[DroppedRuns] = field(default_factory=list[DroppedRuns])
    early_and_late: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])
    """(which window, whether its early samples were still the same later)."""
    reused: list[Repeat] = field(default_factory=list[Repeat])
    """Calls with new values in the storage of an earlier call."""
    held: list[HeldResults] = field(default_factory=list[HeldResults])
    timed_samples: list[Repeat] = field(default_factory=list[Repeat])
    """Secretly chosen timed calls, repeated unhurriedly in a process of their own."""
    clocks: list[ClockReading] = field(default_factory=list[ClockReading])
    timings: list[Timing] = field(default_factory=list[Timing])
    as_called: list[Timing] = field(default_factory=list[Timing])
    geomean: Timing | None = None
    foreign_share: float = 0.0
    """Of the machine's processor time, the most that others used during a pair that counts."""
    unavoidable_bytes: dict[str, int] = field(default_factory=dict[str, int])
    footprint_bytes: dict[str, int] = field(default_factory=dict[str, int])
    seeds: SeedSource = field(default_factory=SeedSource)
    cut: tuple[str, ...] = ()
    """Leaves whose gradients have derivatives on the baseline's side, and silently none on the candidate's."""
    lost: tuple[str, ...] = ()
    """Inputs that declare no wish for a gradient, would get one from the baseline, and silently get none."""
    gained: tuple[str, ...] = ()
    """Inputs that would get a gradient from the candidate, were all to ask for one, and none from the baseline."""
    draws: str = ""
    """The operator by which the baseline draws random numbers."""
    memory: MemoryWatch | None = None


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """One check. `run` never raises on hostile evidence; it returns a Check that failed."""

    name: str
    level: Level
    run: Callable[[Evidence], Check]
