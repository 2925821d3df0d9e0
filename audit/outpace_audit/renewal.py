"""Laws for inputs that a maker makes the same under every seed, so that a result cannot be known beforehand.

An input is drawn anew only where the baseline bears it (the same results by shape and type, as finite) and shows it;
what a draw would break, such as sizes or offsets, stays as the maker has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from outpace_audit.errors import NothingVaries
from outpace_audit.records import ArgSpec, Law, Workload
from outpace_audit.scout import Scout
from outpace_audit.sides import Side
from outpace_audit.thresholds import COMPILE_TIMEOUT_S

Inspected = Mapping[str, Any]


def renewed(workload: Workload, before: Inspected, launch: Callable[[], Side], seed: int) -> tuple[Workload, list[str]]:
    """The workload with its constant inputs drawn anew as far as they may be, and notes. Raises NothingVaries where no
    result moves with the seed, whatever is drawn."""
    scout = Scout(launch)
    try:
        return _renewed(workload, before, scout, seed)
    finally:
        scout.close()


def _renewed(workload: Workload, before: Inspected, scout: Scout, seed: int) -> tuple[Workload, list[str]]:
    if before["plain"] is None:
        if before["still"] < len(before["results"]) or _leaves_what_varies(before):
            return workload, []
        raise NothingVaries(f"{workload.label}: its inputs are always the same: make them depend on the seed")
    current, state, drawn = replace(workload, args=_bare(workload, before)), before, list[str]()
    for final in (False, True):
        for one in before["inputs"]:
            for law in _options(one, final=final):
                trial = _with(current, one, law)
                seen = scout.attempt(lambda side, trial=trial: _inspected(side, trial, seed))
                if seen is not None and _bears(before, seen) and (seen["still"] < state["still"] or not final):
                    current, state = trial, seen
                    drawn.append(f"{trial.args[one['leaf']].name} by {law.kind}")
                    break
        if state["still"] < before["still"] or before["still"] < len(before["results"]):
            break
    if state["results"] and state["still"] == len(state["results"]) and not _leaves_what_varies(before):
        raise NothingVaries(
            f"{workload.label}: its inputs are always the same, and no result changes with what can be drawn in their "
            "place: make them depend on the seed"
        )
    if not drawn:
        return workload, []
    return _by_laws_alone(current), [_said(workload, before, current, drawn)]


def _leaves_what_varies(seen: Inspected) -> bool:
    """Whether a call leaves another value in an input that the seed decides: that is judged as a result is."""
    return any(seen["inputs"][i]["varies"] for i in seen["updated"])


def _said(workload: Workload, before: Inspected, current: Workload, drawn: Sequence[str]) -> str:
    names = {name.split(" by ")[0] for name in drawn}
    constant = [current.args[one["leaf"]].name for one in before["inputs"] if not one["varies"]]
    kept = [name for name in constant if name not in names]
    rest = f"; as they are made: {', '.join(kept)}" if kept else ""
    return f"{workload.label}: inputs that are constants are drawn anew instead: {', '.join(drawn)}{rest}"


def _options(one: Inspected, *, final: bool) -> Iterator[Law]:
    """`final`: nothing has moved a result yet. Then floats that look like a table are drawn too."""
    if one["varies"]:
        return
    if final:
        if one["mean"] is not None and (one["law"] is None or one["ordered"]):
            yield Law("normal", {"mean": one["mean"], "std": one["std"] or 1.0})
        return
    yield from (Law(**law) for law in one["laws"])
    if one["law"] is not None and one["mean"] is not None:
        yield Law(**one["law"])


def _bears(before: Inspected, seen: Inspected) -> bool:
    return seen["results"] == before["results"] and (seen["finite"] or not before["finite"]) and not seen["moves"]


def _inspected(side: Side, workload: Workload, seed: int) -> Inspected:
    side.workload(workload)
    return side.ask("inspect", COMPILE_TIMEOUT_S, name=workload.label, seed=seed)


def _bare(workload: Workload, inspected: Inspected) -> tuple[ArgSpec, ...]:
    """One spec for each argument, without a law: as the maker gives it."""
    plain: Sequence[Any] = inspected["plain"]
    if len(workload.args) == len(plain):
        return workload.args
    tensors = {one["leaf"]: one for one in inspected["inputs"]}
    return tuple(
        ArgSpec(f"input{i}", tuple(one["shape"]), one["dtype"], requires_grad=bool(one["requires_grad"]))
        if (one := tensors.get(i)) is not None
        else ArgSpec(f"input{i}", value=None if isinstance(value, Mapping) else value)
        for i, value in enumerate(plain)
    )


def _with(workload: Workload, one: Inspected, law: Law) -> Workload:
    args = list(workload.args)
    spec = replace(args[one["leaf"]], shape=tuple(one["shape"]), dtype=one["dtype"], law=law)
    args[one["leaf"]] = replace(spec, requires_grad=bool(one["requires_grad"]))
    return replace(workload, args=tuple(args))


def _by_laws_alone(workload: Workload) -> Workload:
    """Without the maker where it gives nothing any more."""
    if any(spec.shape is not None and spec.law is None for spec in workload.args) or workload.maker == "custom":
        return workload
    return replace(workload, maker="laws", entry=None)
