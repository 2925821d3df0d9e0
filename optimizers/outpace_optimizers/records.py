"""What the loop works on and reports: targets, trials, events. Standard library and audit records only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from outpace_audit.records import Check, Code, Idea, Machine, NumericsClass, Patch, Policy, Verdict, Workload

Device = Literal["cpu", "cuda"]
MODEL_RULE = "model"
"""In place of a rule's id, where an idea is a language model's."""
TUNER_RULE = "tuner"
"""The same, where sizes were searched by measuring."""
TUNED_RULE = "tuned-numbers"
"""The rule of edits that a search over a training script's numbers has found."""
CARRIED_RULE = "carried"
"""The same, where an edit was accepted on another target that has the same definition."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something to make faster: one callable of one file, and how to call it."""

    code: Code
    workloads: tuple[Workload, ...]
    notes: tuple[str, ...] = ()
    """What the user must know to read the numbers, e.g. that workloads were made smaller for this machine."""
    inference: bool = False
    """It was only ever called without gradients."""
    calls: tuple[int, ...] = ()
    """How often each workload was seen; nothing where it was not counted."""

    @property
    def name(self) -> str:
        return self.code.symbol


@dataclass(frozen=True, slots=True)
class StepGain:
    """What an accepted change makes of a whole step of the user's script: computed from its speedup and the target's
    `share` of the step in a profile, by Amdahl's law; not measured."""

    speedup: float
    interval: tuple[float, float]
    """That of the target's speedup, brought to the step: how sure the profile is, it does not say."""
    share: float
    profile: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model was paid for one idea: the replies since its last idea that was judged, unusable ones among them.
    `dollars` is 0 where no price is known."""

    seconds: float = 0.0
    tokens: int = 0
    dollars: float = 0.0


NOT_ASKED = Asked()


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one trial: time of the device and money, which are never added up."""

    judged_s: float = 0.0
    """From the first check to the verdict, without waiting for others on the device. 0 where it was not kept."""
    waited_s: float = 0.0
    stages: Mapping[str, float] = field(default_factory=dict[str, float])
    """Seconds of `judged_s` by the level that they were spent on."""
    asked: Asked = NOT_ASKED


NO_COST = Cost()


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of one turn of a proposer, apart from what was known before."""

    proposer: str
    """"rules", "model" and so on: a name in turns/choice.py."""
    judged: int
    """Trials."""
    won: int
    """Of these, accepted."""
    factor: float
    """What it has multiplied the best audited speedup (its lower bound) by; 1 where nothing better came of it."""
    seconds: float
    """At work on the device: first looks and trials, without waiting for others on it."""
    asked: Asked = NOT_ASKED
    """All that a model was paid in it."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One audited idea."""

    id: str
    target: str
    idea: Idea
    verdict: Verdict
    diff: str
    """Unified diff of the user's file."""
    replay: str
    """The command that repeats this verdict."""
    known_since: float | None = None
    """When it was measured, in seconds since 1970, if that was before this run; None for a verdict of this run."""
    evidence: str = ""
    """The file that holds all that was measured; none where it could not be written."""
    notes: tuple[str, ...] = ()
    """What the user must know to read this verdict, where it does not stand in a report."""
    left_out: tuple[str, ...] = ()
    """Labels of the target's workloads that were not judged, by its notes."""
    whole_text: bool = False
    """It holds for the very text of its file alone: a training run, which reaches all of it."""
    cost: Cost = NO_COST
    """What it took when it was judged, in this run or before."""
    step: StepGain | None = None
    """Where a profile holds for the code as it is; it is looked up where the trial is shown, and not kept."""

    @property
    def judged_s(self) -> float:
        return self.cost.judged_s


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A language model that may add ideas, as litellm names it (`provider/name`), and what it may cost at most.

    Dollars and tokens (of prompts and replies together) are those of one run and of one day of the workspace.
    """

    name: str
    dollars_per_run: float = 1.0
    dollars_per_day: float = 5.0
    tokens_per_run: int = 300_000
    tokens_per_day: int = 2_000_000
    ideas: int = 12
    """Replies that are paid for in one run, repairs included. What an earlier run paid for does not count."""
    plateau: int = 4
    """Ideas in a row that bring nothing better before it is asked no more: most of what is found is found early."""
    reply_tokens: int = 8_000
    """Of one reply, at most."""
    timeout_s: float = 180.0
    """For one reply."""
    paths: tuple[str, ...] = ("**/*.py",)
    """Patterns, from the project's root, of files that may be shown to it."""
    ahead: bool | None = None
    """Ask for the next reply while an idea is measured. None: unless the model runs on this machine, where that would
    disturb the measurement."""
    account: str = ""
    """Where it is set, the dollars and tokens of a run are those of all runs with this account."""


@dataclass(frozen=True, slots=True)
class Spend:
    """What a model's ideas have cost. A call that ended without a bill is counted at its worst case."""

    model: str
    calls: int
    """Paid for in this run."""
    remembered: int
    """Replies of earlier runs that were used again."""
    unusable: int
    """Replies that led to no trial."""
    tokens: int
    dollars: float | None
    """None where no price is known."""
    tokens_today: int
    dollars_today: float
    asking_s: float = 0.0
    """Waiting for replies in this run, with nothing being measured."""
    judging_s: float = 0.0
    """Of ideas that were audited in this run."""
    judged: int = 0
    """So many."""


@dataclass(frozen=True, slots=True)
class OptimizeRequest:
    """What `outpace optimize` was asked to do. `budget_s` bounds when the last trial may start, in seconds."""

    path: str
    target: str | None = None
    budget_s: float = 60.0
    policy: Policy = "tolerant"
    device: Device | None = None
    python: str | None = None
    inference: bool = False
    """Judge and time the forward pass only, also where the target could train."""
    unsandboxed: bool = False
    """Run arms although no sandbox can be had on this machine."""
    skip: tuple[str, ...] = ()
    """Ids of rules that are not to be used."""
    fresh: bool = False
    """Measure again what the ledger knows."""
    all_workloads: bool = False
    """Take every workload of a benchmark's problem, not a few."""
    by_hash: bool = False
    """Take few by a hash, where their sizes would decide."""
    everything: bool = False
    """Run every check, also after one has failed."""
    checks: tuple[str, ...] = ()
    """Checks of third parties that the judge runs too: files, or names of entry points in its interpreter."""
    model: ModelRequest | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """How a stored trial is to be measured, where not as it was."""

    python: str | None = None
    unsandboxed: bool = False
    path: str = ""
    """Where its file stands, if it is gone from where it was measured."""


Ending = Literal["done", "time", "failed"]
"""There is nothing left to try; or there may be, but the time was spent; or something failed that may pass."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one `optimize` run; `stop` is the reason it ended."""

    target: Target
    machine: Machine
    trials: tuple[Trial, ...]
    stop: str
    notes: tuple[str, ...] = ()
    spend: Spend | None = None
    """None where no model was asked."""
    ending: Ending = "done"

    @property
    def best(self) -> Trial | None:
        """The accepted trial with the highest lower bound of its speedup."""
        won = [trial for trial in self.trials if trial.verdict.accepted and trial.verdict.interval]
        return max(won, key=lambda trial: trial.verdict.interval[0] if trial.verdict.interval else 0.0, default=None)


@dataclass(frozen=True, slots=True)
class StageEvent:
    """What is being done now, e.g. `probing the baseline`, or waited for."""

    text: str
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class TrialStarted:
    index: int
    total: int
    title: str


@dataclass(frozen=True, slots=True)
class CheckDone:
    check: Check


@dataclass(frozen=True, slots=True)
class TrialFinished:
    trial: Trial


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong and costs no verdict; the report's notes have it too."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnTaken:
    turn: Turn


Event = StageEvent | TrialStarted | CheckDone | TrialFinished | TurnTaken | Trouble
Listener = Callable[[Event], None]

__all__ = [
    "CheckDone",
    "Device",
    "Event",
    "Idea",
    "Listener",
    "ModelRequest",
    "NumericsClass",
    "OptimizeRequest",
    "Patch",
    "Report",
    "Spend",
    "StageEvent",
    "Target",
    "Trial",
    "TrialFinished",
    "TrialStarted",
    "Trouble",
    "Turn",
    "TurnTaken",
]
