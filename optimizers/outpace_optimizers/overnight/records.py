"""What a night consists of: places to work on, what was tried there, and how far it has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from outpace_audit.records import Machine, NumericsClass
from outpace_optimizers.records import Trial, Turn


@dataclass(frozen=True, slots=True)
class Place:
    """One target: `path` is absolute, `name` that of the target; `label` tells it from the others of the folder."""

    path: str
    name: str
    label: str
    gain: float | None = None
    """Share of a step that could be saved at most; None where no profile knows it."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One trial, in short. `failed`: level and check. `judged_s`: in this night or before, see `Night.is_new`."""

    verdict: str
    title: str
    rule: str
    proposer: str
    accepted: bool
    speedup: float | None
    interval: tuple[float, float] | None
    numerics: NumericsClass | None
    level: str | None
    failed: str
    reason: str
    judged_s: float
    known_since: float | None
    evidence: str
    replay: str

    @classmethod
    def of(cls, trial: Trial) -> Tried:
        idea, verdict = trial.idea, trial.verdict
        failed = f"{verdict.failed.level} {verdict.failed.name}" if verdict.failed else ""
        return cls(
            verdict.id, idea.title, idea.rule, idea.proposer, verdict.accepted, verdict.speedup, verdict.interval,
            verdict.numerics, verdict.level, failed, verdict.reason, trial.judged_s, trial.known_since,
            trial.evidence, trial.replay,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dot:
    """A trial and when it ended: in seconds of the night's work, and since 1970."""

    at_s: float
    at: float
    tried: Tried


@dataclass(frozen=True, slots=True)
class TargetProgress:
    """`stop`: why it was left the last time; `done`: for good."""

    place: Place
    dots: tuple[Dot, ...] = ()
    turns: int = 0
    given_s: float = 0.0
    """What its turns were allowed to take, together."""
    stop: str = ""
    done: bool = False
    taken: tuple[Turn, ...] = ()
    """Turns of proposers, in their order."""

    @property
    def best(self) -> Tried | None:
        """The accepted trial with the highest lower bound."""
        won = [dot.tried for dot in self.dots if dot.tried.accepted and dot.tried.interval]
        return max(won, key=lambda tried: tried.interval[0] if tried.interval else 0.0, default=None)


@dataclass(frozen=True, slots=True)
class Night:
    """All that is known of one night. `stop` is empty while it goes on, or where it was ended from outside; `final`:
    the same command would begin another. Dollars and tokens are those of the model's replies."""

    name: str
    folder: str
    model: str
    begun: float
    budget_s: float
    spent_s: float
    now: str
    stop: str
    final: bool
    machine: Machine | None
    targets: tuple[TargetProgress, ...]
    troubles: tuple[str, ...]
    calls: int = 0
    tokens: int = 0
    dollars: float = 0.0

    @property
    def dots(self) -> Sequence[Dot]:
        """Of all targets, in the order in which they ended."""
        return sorted((dot for target in self.targets for dot in target.dots), key=lambda dot: dot.at_s)

    @property
    def wins(self) -> int:
        """Accepted in this night: what was known before it cost nothing."""
        return sum(dot.tried.accepted and self.is_new(dot.tried) for dot in self.dots)

    @property
    def judged_s(self) -> float:
        return sum(dot.tried.judged_s for dot in self.dots if self.is_new(dot.tried))

    @property
    def taken(self) -> Sequence[Turn]:
        return [turn for target in self.targets for turn in target.taken]

    @property
    def device_s(self) -> float:
        """At work on the device: first looks as well as trials."""
        return max(sum(turn.seconds for turn in self.taken), self.judged_s)

    def is_new(self, tried: Tried) -> bool:
        return tried.known_since is None or tried.known_since >= self.begun
