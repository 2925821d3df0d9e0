"""What an editor shows of a profile, little enough to be kept in memory: numbers by function, suggestions by place."""

from __future__ import annotations

from dataclasses import dataclass

from outpace_audit.records import Machine


@dataclass(frozen=True, slots=True)
class Mark:
    """A function's numbers. Times in seconds per step; `share` is what would be gone if it took no time."""

    path: str
    name: str
    digest: str | None
    share: float
    seconds: float
    backward_s: float
    own_s: float
    calls: float
    gain: float | None
    """Of the whole step, at most: at the limit where there is one, else without the function; None where it is all."""
    around: bool
    operators: tuple[tuple[str, float], ...]
    """Of its own time: names, and shares of the step."""
    worth_it: bool
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """How far a function is from the machine's limit, by its roofline: bound by what, and how much faster at most."""

    bound: str
    speedup: float


@dataclass(frozen=True, slots=True)
class Advice:
    """A suggestion of a profile rule, at a function or at a call in it. `digest` is the function's."""

    rule: str
    title: str
    evidence: str
    advice: str
    gain: float | None
    numerics: str
    page: str
    path: str
    name: str
    digest: str
    call: str = ""
    edit: str = ""
    """The command that makes the change and audits it."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """Of one profile. `recorded_at` in seconds since 1970; `device` is empty where it is not known."""

    name: str
    trace: str
    command: str
    recorded_at: float
    device: str
    steps: int
    step_s: float
    plain_step_s: float | None
    marks: tuple[Mark, ...]
    advice: tuple[Advice, ...]
    troubles: tuple[str, ...]
    machine: Machine | None = None
