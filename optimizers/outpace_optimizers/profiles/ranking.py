"""What it would pay to make faster, and what would not: the best gain that any change of a target can bring."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from outpace_optimizers.profiles.code_names import digest_of
from outpace_optimizers.profiles.hosts import PROFILER
from outpace_optimizers.profiles.records import Profile, Target

WORTH = 1.01
"""A best possible gain below this is lost in the noise of timing (see docs/audit.md)."""
CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict", "OptimizedModule", "DistributedDataParallel"})
"""Modules that only run others."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """`best_gain` is 1/(1 - share): of the whole step, if the target took no time at all (Amdahl's law)."""

    target: Target
    share: float
    best_gain: float
    stale: bool
    """The function's source is not the one that was profiled."""


@dataclass(frozen=True, slots=True)
class Ranking:
    worth: tuple[Ranked, ...]
    rest: tuple[Ranked, ...]
    """Not worth a GPU second."""


def best_gain(share: float) -> float:
    return 1 / (1 - share) if share < 1 else math.inf


def ranked(profile: Profile) -> Ranking:
    """By share of the step: how far a target is from the machine's limit is not known here, and none is guessed."""
    candidates = [t for t in profile.targets if t.key != PROFILER and t.name not in CONTAINERS]
    found = [_ranked(profile, target) for target in candidates]
    found.sort(key=lambda one: -one.share)
    return Ranking(
        tuple(one for one in found if one.best_gain >= WORTH), tuple(one for one in found if one.best_gain < WORTH)
    )


def _ranked(profile: Profile, target: Target) -> Ranked:
    share = profile.share(profile.at_stake(target))
    return Ranked(target, share, best_gain(share), is_stale(target))


def is_stale(target: Target) -> bool:
    return target.path is not None and (target.digest is None or digest_of(target.path, target.name) != target.digest)


@dataclass(frozen=True, slots=True)
class Change:
    """One target in two profiles; None where it is in one alone. Seconds per step."""

    kind: str
    name: str
    path: str | None
    before_s: float | None
    after_s: float | None

    @property
    def difference_s(self) -> float:
        return (self.after_s or 0.0) - (self.before_s or 0.0)


def differences(before: Profile, after: Profile) -> tuple[Change, ...]:
    """Of every target's inclusive time, the largest first. Files are matched by name: projects may have moved."""
    old, new = (_by_name(profile.targets) for profile in (before, after))
    changes = [
        Change(
            key[0],
            key[2],
            (new.get(key) or old[key]).path,
            old[key].seconds if key in old else None,
            new[key].seconds if key in new else None,
        )
        for key in dict.fromkeys((*old, *new))
    ]
    return tuple(sorted(changes, key=lambda change: -abs(change.difference_s)))


def _by_name(targets: Sequence[Target]) -> dict[tuple[str, str, str], Target]:
    return {(target.kind, (target.path or "").rpartition("/")[2], target.name): target for target in targets}
