"""What the project's kept rooflines and profiles say of a target, in lines for a question."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from outpace_audit.records import Machine
from outpace_optimizers.profiles import store as profiles
from outpace_optimizers.profiles.records import Portion, Profile
from outpace_optimizers.records import Target
from outpace_optimizers.roofline import store as rooflines
from outpace_optimizers.roofline.limits import Standing, standings
from outpace_optimizers.roofline.records import Roofline

BINDS = {
    "compute": "arithmetic binds it: fewer FLOPs, or the same in a form that the library has a faster kernel for",
    "memory": "memory traffic binds it: fewer passes over tensors, fused kernels, smaller intermediates",
    "latency": "calling its operators binds it: fewer, larger operators",
}
OPERATORS = 6
"""Of a profile, the longest: the rest is seldom worth a change."""


def known_of(state: Path, target: Target, machine: Machine) -> tuple[str, ...]:
    """Nothing that was measured of other code, of a text that has changed, or (a roofline) on another machine."""
    return (*_from_rooflines(state, target, machine), *_from_profile(state, target))


def _from_rooflines(state: Path, target: Target, machine: Machine) -> Iterator[str]:
    for one in rooflines.known(state):
        if _is_of(one, target) and (one.machine.name, one.machine.torch) == (machine.name, machine.torch):
            for found in standings(one.measured, one.ceilings):
                yield _standing(found)


def _is_of(found: Roofline, target: Target) -> bool:
    return (Path(found.path).resolve(), found.target) == (Path(target.code.path).resolve(), target.name)


def _standing(found: Standing) -> str:
    work = found.work
    return (
        f"{found.workload}: {BINDS[found.bound]}; at best {max(found.speedup, 1.0):.2f}x faster; "
        f"{work.total_flops:.3g} FLOPs, {work.least_bytes:.3g} bytes at least, of {work.moved_bytes:.3g} that its "
        f"{work.operators} operators move"
    )


def _from_profile(state: Path, target: Target) -> Iterator[str]:
    profile = profiles.newest(state)
    digests = rooflines.digests_of(target.code.source, target.name, target.code.kind)
    if profile is None:
        return
    for one in profile.targets:
        same_file = one.path is not None and Path(one.path).resolve() == Path(target.code.path).resolve()
        if same_file and one.digest is not None and digests.get(one.name) == one.digest:
            share = f"{one.name}: {profile.share(profile.at_stake(one)):.0%} of a step"
            yield ": ".join([share, *filter(None, [", ".join(_operators(profile, one.operators))])])


def _operators(profile: Profile, portions: tuple[Portion, ...]) -> Iterator[str]:
    for one in sorted(portions, key=lambda part: -part.seconds)[:OPERATORS]:
        yield f"{one.name} {profile.share(one.seconds):.0%}"
