"""What it would pay to make faster, and what would not: the best gain that any change of a target can bring.

By (share of the step) x (distance from the limit): a target of which a roofline says that it can be s times as fast
takes share/s at least. Where no roofline is known, none is guessed: s is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from outpace_optimizers.profiles.code_names import digest_of
from outpace_optimizers.profiles.distances import Distance, distances
from outpace_optimizers.profiles.hosts import PROFILER
from outpace_optimizers.profiles.records import Profile, Target
from outpace_optimizers.roofline.records import Roofline

WORTH = 1.01
"""A best possible gain below this is lost in the noise of timing (see docs/audit.md)."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """`best_gain` of the whole step by Amdahl's law, 1/(1 - share + share/s), if the target were as fast as it can be:
    s times, by its roofline; without one, if it took no time at all."""

    target: Target
    share: float
    best_gain: float
    stale: bool
    """The function's source is not the one that was profiled."""
    distance: Distance | None = None
    """From the machine's limit; None where no roofline speaks for the target."""


@dataclass(frozen=True, slots=True)
class Ranking:
    worth: tuple[Ranked, ...]
    rest: tuple[Ranked, ...]
    """Not worth a GPU second."""
    unused: tuple[str, ...] = ()
    """Rooflines that could not be used, and why."""


def best_gain(share: float, speedup: float = math.inf) -> float:
    """Of the whole, if a `share` of it gets `speedup` times as fast."""
    left = 1 - share + share / speedup
    return 1 / left if left > 0 else math.inf


def ranked(profile: Profile, rooflines: Iterable[Roofline] = ()) -> Ranking:
    """The best possible gain of the step first."""
    known = distances(profile, rooflines)
    candidates = [t for t in profile.targets if t.key != PROFILER]
    found = [_ranked(profile, target, known.by_target.get(target.key)) for target in candidates]
    found.sort(key=lambda one: (-one.best_gain, -one.share))
    return Ranking(
        tuple(one for one in found if one.best_gain >= WORTH),
        tuple(one for one in found if one.best_gain < WORTH),
        known.unused,
    )


def _ranked(profile: Profile, target: Target, distance: Distance | None) -> Ranked:
    share = profile.share(profile.at_stake(target))
    gain = best_gain(share) if distance is None else best_gain(share, distance.speedup)
    return Ranked(target, share, gain, is_stale(target), distance)


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
