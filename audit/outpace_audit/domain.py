"""What a baseline runs beyond its declared inputs, tried once for each target in a process of its own.

A baseline may die of an input that it does not expect (an index out of range ends a CUDA context), so neither oracle
nor reference is risked for it.
"""

from __future__ import annotations

import math
import random
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from outpace_audit.changes import (
    EARLY,
    FLAGS,
    HOWS,
    MUCH_LATER,
    NEIGHBOURS,
    ArgumentChange,
    common_order,
    scalar_changes,
    supplied_changes,
)
from outpace_audit.inputs import INTEGERS
from outpace_audit.integer_values import WHOLE_RANGE
from outpace_audit.placement import GUARDED, LAYOUTS
from outpace_audit.records import Workload
from outpace_audit.scout import Scout, is_calm, usable
from outpace_audit.shape_scouting import Shapes, Variant
from outpace_audit.shapes import argument_specs
from outpace_audit.sides import LeafView, Reply, Side, same_leaves
from outpace_audit.thresholds import CALL_TIMEOUT_S
from outpace_audit.values import MANY, WRAPPED


@dataclass(frozen=True, slots=True)
class Domain:
    """All of it has been seen to run, with finite results where the declared call's are finite."""

    shapes: tuple[Variant, ...] = ()
    layouts: tuple[str, ...] = ()
    changes: tuple[ArgumentChange, ...] = ()
    fresh_indices: bool = False
    integer_laws: tuple[str, ...] = ()


WHOLE = tuple(str(dtype).removeprefix("torch.") for dtype in INTEGERS)

BESIDE = 4
"""Of all inputs, as many are made nearly alike, or like another one: of a list of gradients not each with each."""

CLASSES = 32
"""Integers of more values than these are no labels of which all may be alike."""

QUICK_CALLS, QUICK_S = 4, 0.1
"""More calls of a baseline that takes no longer than this."""


def explore(
    launch: Callable[[], Side], workload: Workload, inspected: Mapping[str, Any], cotangents: list[list[Any]] | None
) -> tuple[Domain, list[str]]:
    """The domain of one workload, and what the user should know of it."""
    scout = Scout(launch)
    try:
        return _explore(scout, workload, inspected, cotangents)
    finally:
        scout.close()


def _explore(
    scout: Scout, workload: Workload, inspected: Mapping[str, Any], cotangents: list[list[Any]] | None
) -> tuple[Domain, list[str]]:
    seed = secrets.randbits(61)
    request = {"seed": seed, "sample_seed": secrets.randbits(61), "cotangents": cotangents}

    def call(**special: Any) -> Reply | None:
        return scout.attempt(lambda side: side.call(workload, CALL_TIMEOUT_S, **request, **special))

    plain = _quickest(call)
    if plain is None:
        return Domain(), [f"{workload.label}: only the declared inputs are tried: a plain call failed or took too long"]
    places = [name for name in (GUARDED, *LAYOUTS) if not (name == "broadcast" and plain.mutated)]  # who writes last?
    layouts = [name for name in places if usable(plain, call(layout=name))]
    integers = [one for one in inspected["inputs"] if one["dtype"] in ("int64", "int32") and one["varies"]]
    whole = [one for one in inspected["inputs"] if one["dtype"] in WHOLE and one["varies"]]
    indices = bool(whole) and usable(plain, call(index_seed=secrets.randbits(61)))
    far = any(map(_is_far_from_an_index, integers))
    indexed = [name for name in ("absent", "few", "far") if integers and (name != "far" or far)]
    integer_laws = [name for name in indexed if usable(plain, call(values=name))]
    if whole and _device_of(plain) == "cpu":  # as an index, what lies beyond its range ends CUDA's context
        integer_laws += [name for name in WHOLE_RANGE if _moves(plain, call(values=name))]
    points = _device_of(plain) == "cpu" and _may_point(inspected, integers)
    if points and _counts_from_the_end(plain, call(values=WRAPPED)):
        integer_laws.append(WRAPPED)
    changes = list(_changes(workload, inspected, plain, lambda change: call(change=change), seed))
    specs = argument_specs(workload, inspected)
    notes: list[str] = []
    shapes: list[Variant] = []
    if isinstance(specs, str):
        notes.append(f"{workload.label}: checked at its own shapes only: {specs}")
    else:
        shapes = list(Shapes(scout, workload, specs, plain, cotangents is not None).found())
    if not scout.tries_left():
        notes.append(f"{workload.label}: not everything beyond the declared inputs could be tried on the baseline")
    return Domain(tuple(shapes), tuple(layouts), tuple(changes), indices, tuple(integer_laws)), notes


def _device_of(reply: Reply) -> str:
    return next((leaf.device for leaf in reply.leaves if leaf.tensor is not None), "")


def _moves(plain: Reply, reply: Reply | None) -> bool:
    return reply is not None and usable(plain, reply) and not same_leaves(plain.outputs, reply.outputs)


def _may_point(inspected: Mapping[str, Any], integers: Sequence[Mapping[str, Any]]) -> bool:
    """Whether some integers all lie below a size of a floating input."""
    sizes = [size for one in inspected["inputs"] if one["mean"] is not None for size in one["shape"]]
    ends = [float((one["law"] or {"params": {}})["params"].get("high", math.inf)) for one in integers]
    return bool(sizes and ends) and min(ends) <= max(sizes)


def _counts_from_the_end(plain: Reply, wrapped: Reply | None) -> bool:
    """Whether an index less the size of what it points into means the same to the baseline. (On CUDA that is not tried:
    torch's own embedding ends the context there, and so would an honest candidate.)"""
    return wrapped is not None and usable(plain, wrapped) and same_leaves(plain.outputs, wrapped.outputs)


def _quickest(call: Callable[[], Reply | None]) -> Reply | None:
    """The quickest of a few plain calls, since what one takes decides how far sizes may grow: the first takes longer,
    and so may any on a busy machine."""
    best = call()
    for _ in range(QUICK_CALLS):
        other = call() if best is not None and best.seconds < QUICK_S else None
        best = min((one for one in (best, other) if one is not None), key=lambda one: one.seconds, default=None)
    return best


def _is_far_from_an_index(one: Mapping[str, Any]) -> bool:
    return float((one["law"] or {"params": {}})["params"].get("high", 0)) > MANY


def _changes(
    workload: Workload,
    inspected: Mapping[str, Any],
    plain: Reply,
    call: Callable[[dict[str, Any]], Reply | None],
    seed: int,
) -> Iterator[ArgumentChange]:
    """For each argument the first change that the baseline bears and shows."""
    cpu = _device_of(plain) == "cpu"
    for options in _options(workload, inspected, random.Random(seed), cpu=cpu):
        for change in options:
            reply = call(asdict(change))
            if reply is None or not (_may_average_nothing(change, inspected, reply) or _is_sound(plain, reply)):
                continue
            if same_leaves(_shown(plain, change), _shown(reply, change)):
                continue
            if change.how == "ignored" and not _is_none(change, reply, call):
                continue
            if change.how == "shuffled" and not _follows(change, inspected, plain, reply, seed):
                continue
            if change.how == "crossed" and _same_but_for_rounding(plain, reply):
                continue
            yield change
            break


def _is_sound(plain: Reply, reply: Reply) -> bool:
    return usable(plain, reply) and is_calm(plain, reply, None)


def _may_average_nothing(change: ArgumentChange, inspected: Mapping[str, Any], reply: Reply) -> bool:
    """Whether labels, and no mask by its name, leave some results without a number and others with one: what is an
    average of a class that is not there is for the baseline to say. Nobody agrees on what a mask of nothing gives."""
    called: Sequence[str] = inspected.get("called", ())
    if change.how != "alike" or reply.trespassed or len(called) != len(inspected["numbers"]):
        return False
    floats = [one.tensor for one in reply.outputs if one.tensor is not None and one.tensor.is_floating_point()]
    numbers = all(
        bool(torch.isfinite(one.float()).any()) and not bool(torch.isinf(one.float()).any()) for one in floats
    )
    return numbers and not any(part in called[change.leaf].lower() for part in FLAGS)


def _shown(reply: Reply, change: ArgumentChange) -> tuple[LeafView, ...]:
    """What a change has to move. Labels may be for statistics alone."""
    return (*reply.outputs, *reply.buffers) if change.how == "ignored" else reply.outputs


def _is_none(change: ArgumentChange, reply: Reply, call: Callable[[dict[str, Any]], Reply | None]) -> bool:
    """Whether the index means nothing to the baseline, and does not count from the end: then the one beside it does the
    same, or is refused."""
    assert change.value is not None, "as `_ignored_options` makes them"
    beside = call(asdict(replace(change, value=NEIGHBOURS[int(change.value)])))
    return beside is None or same_leaves(_shown(reply, change), _shown(beside, change))


def _same_but_for_rounding(plain: Reply, reply: Reply) -> bool:
    """Then an order means nothing to the baseline, whose sums come out otherwise all the same."""
    pairs = [(one.tensor, other.tensor) for one, other in zip(plain.outputs, reply.outputs, strict=True)]
    return all(one is None or other is None or _close(one, other) for one, other in pairs)


def _close(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one.double(), other.double(), 1e-4, 1e-6, equal_nan=True)


def _follows(change: ArgumentChange, inspected: Mapping[str, Any], plain: Reply, reply: Reply, seed: int) -> bool:
    """Whether results come in the new order, or stay as they are: then the old one means nothing to the baseline."""
    size = next(one["shape"][0] for one in inspected["inputs"] if one["leaf"] == change.leaf)
    order = common_order(change.leaf, size, seed)
    for before, after in zip(plain.outputs, reply.outputs, strict=True):
        if before.tensor is None or after.tensor is None or before.sampled:
            return False
        moved = before.tensor[order] if before.shape[:1] == (size,) else before.tensor
        if not _close(moved, after.tensor):
            return False
    return True


def _options(
    workload: Workload, inspected: Mapping[str, Any], chance: random.Random, *, cpu: bool
) -> Iterator[list[ArgumentChange]]:
    """Numbers first: they are few, and where tensors are many the time for trying may end before them. What else a
    number may be comes last."""
    later: list[list[ArgumentChange]] = []
    for leaf, value in enumerate(inspected["numbers"]):
        name = _name(workload, leaf)
        lists = [[ArgumentChange(leaf, "value", other, name) for other in others] for others in scalar_changes(value)]
        yield from lists[:1]
        later += lists[1:]
    places = list(enumerate(inspected["inputs"]))
    names = {one["leaf"]: _name(workload, i if workload.maker == "captured" else one["leaf"]) for i, one in places}
    for _, one in places:
        if one["dtype"] in ("int64", "int32") and math.prod(one["shape"]) == 1:
            steps = (*EARLY, MUCH_LATER)
            yield from ([ArgumentChange(one["leaf"], "set", value, names[one["leaf"]])] for value in steps)
    for _, one in places:
        name = names[one["leaf"]]
        yield from _options_of_a_tensor(one, name, inspected.get("called", ()))
    values = [value for _, value in inspected["defaults"]]
    for number, (name, value) in enumerate(inspected["defaults"]):
        before = tuple(values[:number])
        if value is None:
            yield supplied_changes(name, before, inspected["inputs"], _states(inspected))
            continue
        lists = [
            [ArgumentChange(-1, "added", other, name, before) for other in others] for others in scalar_changes(value)
        ]
        yield from lists[:1]
        later += lists[1:]
    yield from later
    selects = any("int" in dtype for _, dtype in inspected["results"])
    for change in _beside_others(inspected["inputs"], chance, selects=selects):
        yield [replace(change, name=names[change.leaf])]
    if cpu:
        yield from _ignored_options(inspected["inputs"], names)


def _options_of_a_tensor(one: Mapping[str, Any], name: str, called: Sequence[str]) -> Iterator[list[ArgumentChange]]:
    """`called`: the arguments' names, by leaf."""
    leaf: int = one["leaf"]
    blends = not (leaf < len(called) and any(part in called[leaf].lower() for part in FLAGS))
    hows = [how for how in _hows(one) if blends or how != "blended"]
    yield [ArgumentChange(leaf, how, name=name) for how in hows]
    if "mixed" in hows:
        yield [ArgumentChange(leaf, "spared", name=name)]
    if "noised" in hows and len(one["shape"]) > 1 and one["shape"][0] > 1:
        yield [ArgumentChange(leaf, "followed", name=name)]
    yield from ([ArgumentChange(leaf, "alike", label, name=name)] for label in _labels(one))
    if one.get("ordered") and len(one["shape"]) == 1:
        yield [ArgumentChange(leaf, "shuffled", name=name)]
        yield [ArgumentChange(leaf, "evened", name=name)]
    if one.get("ranked") and not one.get("offsets"):
        yield [ArgumentChange(leaf, "shuffled", name=name)]
    if "whole" in (one["law"] or {"params": {}})["params"]:
        yield [ArgumentChange(leaf, "renumbered", name=name)]
    if one.get("unordered"):
        yield [ArgumentChange(leaf, "crossed", name=name)]
    if one.get("offsets"):
        yield from ([ArgumentChange(leaf, how, name=name)] for how in ("evened", "shortened", "begun"))
    if one.get("ordered"):
        yield [ArgumentChange(leaf, "widened", name=name)]
    if hows[:1] == ["louder"]:
        yield [ArgumentChange(leaf, "forbidden", name=name)]
        if _is_positive(one):
            yield [ArgumentChange(leaf, "signed", name=name)]


def _labels(one: Mapping[str, Any]) -> list[bool | int]:
    """The two classes of flags, the first and the last of a few."""
    law: Mapping[str, Any] = one["law"] or {"kind": ""}
    if not one["varies"] or math.prod(one["shape"]) < 2 or one.get("offsets"):
        return []
    if law["kind"] == "bernoulli":
        return [False, True]
    if law["kind"] != "integers" or "order" in law["params"]:
        return []
    low, high = int(law["params"]["low"]), int(law["params"]["high"]) - 1
    return [low, high] if low < high < low + CLASSES else []


def _states(inspected: Mapping[str, Any]) -> list[tuple[Sequence[int], str]]:
    """Shapes and types of floating results, the last first: the state that goes on comes after what is made of it."""
    floats = [(shape, dtype.removeprefix("torch.")) for shape, dtype in inspected["results"] if "float" in dtype]
    return floats[::-1]


def _ignored_options(inputs: Sequence[Mapping[str, Any]], names: Mapping[int, str]) -> Iterator[list[ArgumentChange]]:
    """Labels that mean none. Not tried on CUDA, where an index out of range ends the context."""
    lone = len(inputs) == 1
    for one in inputs:
        if one["dtype"] in ("int64", "int32") and math.prod(one["shape"]) > 1 and not one.get("offsets"):
            name = names[one["leaf"]]
            yield [ArgumentChange(one["leaf"], "ignored", value, name, lone=lone) for value in NEIGHBOURS]


def _beside_others(
    inputs: Sequence[Mapping[str, Any]], chance: random.Random, *, selects: bool
) -> list[ArgumentChange]:
    """Items nearly alike, and rows that are those of another input, of a few inputs. Differences of equal rows cancel
    in honest sums (distances by products), so the latter are of distributions, or where results select."""
    floats = [one for one in inputs if one["varies"] and one["law"] and one["mean"] is not None and one["shape"]]
    nears = [
        ArgumentChange(one["leaf"], "neared")
        for one in floats
        if one["law"]["kind"] != "softmax" and one["shape"][0] > 1 and not one.get("ordered")
    ]
    equals = [
        ArgumentChange(other["leaf"], "equalled", other=one["leaf"])
        for i, other in enumerate(floats)
        for one in floats[:i]
        if _is_part(one, other) and (selects or other["law"]["kind"] == "softmax")
    ]
    found = [*chance.sample(nears, min(len(nears), BESIDE)), *chance.sample(equals, min(len(equals), BESIDE))]
    return sorted(found, key=lambda change: change.leaf)


def _is_part(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Of one law and shape, but for one size."""
    alike = one["law"]["kind"] == other["law"]["kind"] and one["dtype"] == other["dtype"]
    if one["law"]["kind"] != "softmax":  # what was normalised grows where it becomes what was not
        near = abs(one["mean"] - other["mean"]) <= other["std"] / 4
        alike = alike and near and 0.8 * other["std"] <= one["std"] <= 1.25 * other["std"]
    if not alike or len(one["shape"]) != len(other["shape"]) or 0 in (*one["shape"], *other["shape"]):
        return False
    return sum(a != b for a, b in zip(one["shape"], other["shape"], strict=True)) <= (len(one["shape"]) > 1)


def _is_positive(one: Mapping[str, Any]) -> bool:
    law: Mapping[str, Any] = one["law"] or {}
    return law.get("kind") == "uniform" and float(law["params"].get("low", 0.0)) >= 0.0


def _name(workload: Workload, position: int) -> str:
    """A captured workload's specs are of its tensors alone."""
    return workload.args[position].name if position < len(workload.args) else f"input{position}"


def _hows(one: Mapping[str, Any]) -> tuple[str, ...]:
    """What may be done to a tensor without changing what it is."""
    law = (one["law"] or {}).get("kind")
    if one["dtype"] == "bool":
        return ("mixed",)
    if not one["dtype"].startswith(("float", "bfloat")) or one["dtype"].startswith("float4"):
        return ("redrawn",) if one["varies"] and law is not None else ()
    if one.get("ordered"):
        return ("stretched",)
    if not one["varies"]:
        return ("noised",) if law is not None else ("mixed",)
    if law == "softmax":
        return ("redrawn",)
    return ("blended", "redrawn") if law is None else HOWS[:2]
