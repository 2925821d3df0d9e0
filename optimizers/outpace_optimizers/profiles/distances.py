"""How far a profile's targets are from the machine's limit, by the rooflines that were measured of them.

A roofline speaks for a target of a profile only where both ran the same code, in the same way, on the same machine, and
where nothing disturbed it: ceilings that are too low would make worthwhile targets look done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from outpace_audit.codec import WrongField, decode
from outpace_audit.records import Machine
from outpace_optimizers.profiles.records import Profile, Target
from outpace_optimizers.roofline.limits import Bound, best_speedup, standings
from outpace_optimizers.roofline.records import Roofline
from outpace_optimizers.roofline.remarks import disturbed


@dataclass(frozen=True, slots=True)
class Distance:
    """`speedup`: the best possible one of the target alone, over its workloads as often as they occur."""

    speedup: float
    bound: Bound
    """Of the workloads that take most of its time."""


@dataclass(frozen=True, slots=True)
class Distances:
    by_target: Mapping[tuple[str, str, str], Distance] = field(default_factory=dict[tuple[str, str, str], Distance])
    unused: tuple[str, ...] = ()
    """Rooflines of the profile's targets that say nothing of it, and why."""


def distances(profile: Profile, rooflines: Iterable[Roofline]) -> Distances:
    found: dict[tuple[str, str, str], Distance] = {}
    unused: list[str] = []
    for one in rooflines:
        target = _target_of(profile, one)
        if target is None:
            continue
        reason = _unfit(profile, target, one)
        if reason:
            unused.append(f"the roofline of {one.target} is not used: {reason}")
        else:
            found[target.key] = distance_of(one)
    return Distances(found, tuple(unused))


def distance_of(found: Roofline) -> Distance:
    stands = standings(found.measured, found.ceilings)
    taking: dict[Bound, float] = {}
    for one, weight in zip(stands, found.weights, strict=True):
        taking[one.bound] = taking.get(one.bound, 0.0) + weight * one.time.seconds
    return Distance(best_speedup(stands, found.weights), max(taking, key=lambda bound: taking[bound]))


def _target_of(profile: Profile, found: Roofline) -> Target | None:
    """A module's is its `forward`."""
    name = f"{found.target}.forward" if found.kind == "module" else found.target
    path = Path(found.path).resolve()
    alike = [one for one in profile.targets if one.path and one.name == name and Path(one.path).resolve() == path]
    return next((one for one in alike if not one.around), None)


def _unfit(profile: Profile, target: Target, found: Roofline) -> str:
    if target.digest is None or found.digests.get(target.name) != target.digest:
        return "the profiled code is not, or may not be, what it was measured on"
    ran = machine_of(profile)
    if ran is None or not same_machine(ran, found.machine):
        return "it was measured on another machine or torch than the profile, or on which is not known"
    threads = profile.run.get("threads")
    if threads not in (None, found.ceilings.threads):
        return f"it was measured with {found.ceilings.threads} threads, the profile with {threads}"
    if found.measured.trains != (target.backward_s > 0):
        said = "forward and backward" if found.measured.trains else "forward only"
        return f"it is of {said}, which is not how the profiled step calls it"
    return disturbed(found)


def machine_of(profile: Profile) -> Machine | None:
    """None of a trace that is not ours."""
    try:
        return decode(Machine, profile.run.get("machine"))
    except WrongField:
        return None


def same_machine(one: Machine, other: Machine) -> bool:
    """What times can be compared on."""
    return (one.device, one.name, one.uuid, one.cores, one.torch) == (
        other.device, other.name, other.uuid, other.cores, other.torch,
    )  # fmt: skip
