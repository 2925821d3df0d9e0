"""What an audited speedup of a target comes to for a whole step: by Amdahl's law, from its share in a profile."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from outpace_audit.records import Machine
from outpace_optimizers.profiles.code_names import forget_files
from outpace_optimizers.profiles.distances import machine_of, same_machine
from outpace_optimizers.profiles.ranking import best_gain, is_stale
from outpace_optimizers.profiles.records import Profile
from outpace_optimizers.profiles.store import places, stored_profile
from outpace_optimizers.records import StepGain, Trial

MOST_READ = 4
"""Profiles, the newest first, until one is of the target's file."""


@dataclass(frozen=True, slots=True)
class Part:
    """A function's part of the profiled step. `share`: what would be gone if it took no time."""

    share: float
    backward_s: float
    around: bool


def functions_of(target: str) -> tuple[str, str]:
    """Whose numbers are a target's: a module's those of its `forward`."""
    return f"{target}.forward", target


def step_gain(trial: Trial, part: Part, machine: Machine | None, profile: str) -> StepGain | None:
    """None where the verdict is of something else than what the step does: on another machine, or without the backward
    pass that the step makes (or with one that it does not)."""
    verdict = trial.verdict
    if not verdict.accepted or trial.whole_text or verdict.speedup is None or verdict.interval is None:
        return None
    if part.around or machine is None or not same_machine(machine, verdict.machine):
        return None
    if verdict.trains != (part.backward_s > 0):
        return None
    share = min(max(part.share, 0.0), 1.0)
    low, high = (best_gain(share, speedup) for speedup in verdict.interval)
    return StepGain(best_gain(share, verdict.speedup), (low, high), share, profile)


def with_step_gains(trials: Iterable[Trial], state: Path) -> tuple[Trial, ...]:
    """By the newest profile in which something of their file took time, if all that it is of is still what ran."""
    found = tuple(trials)
    if not any(trial.verdict.accepted for trial in found):
        return found
    known = list(_newest(state))
    return tuple(replace(trial, step=_in_profiles(trial, known)) for trial in found)


def _newest(state: Path) -> Iterator[tuple[str, Profile]]:
    for place in islice(places(state), MOST_READ):
        if (profile := stored_profile(place)) is not None:
            yield place.name, profile


def _in_profiles(trial: Trial, known: Iterable[tuple[str, Profile]]) -> StepGain | None:
    path = os.path.realpath(trial.idea.patch.path)
    for name, profile in known:
        if any(one.path == path for one in profile.targets):
            return _in_profile(trial, path, name, profile)
    return None


def _in_profile(trial: Trial, path: str, name: str, profile: Profile) -> StepGain | None:
    forget_files()
    if any(is_stale(one) for one in profile.targets):
        return None  # another step than the one that was profiled
    own = {one.name: one for one in profile.targets if one.path == path}
    target = next((own[one] for one in functions_of(trial.target) if one in own), None)
    if target is None:
        return None
    part = Part(profile.share(profile.at_stake(target)), target.backward_s, target.around)
    return step_gain(trial, part, machine_of(profile), name)
