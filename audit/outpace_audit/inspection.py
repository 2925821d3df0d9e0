"""What the judge learns of a baseline from calls of it: its inputs, what it updates, what it differentiates."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from outpace_audit.call_inputs import tensors_of
from outpace_audit.calls import synchronize
from outpace_audit.comparable import uncompared, unwatched
from outpace_audit.cotangents import differentiable_outputs
from outpace_audit.fitting import are_offsets, are_ranked, fit, is_ordered, laws_for
from outpace_audit.inputs import InputMaker, is_integer, is_perturbable
from outpace_audit.records import NUMBER
from outpace_audit.subject import Subject
from outpace_audit.tensors import Leaf, flatten, plain, reals, same_bytes

PLAIN = (bool, int, float, str, type(None))
CROSSED = 3
"""Numbers in a row, of which two may change places without the ends: more than these."""
SAMPLED, DISTINCT = 2**16, 0.9
"""Of so many elements that are drawn uniformly in fp32, 99.8% differ."""
PLACE = {"tensor": True}
"""Stands for a tensor among plain arguments."""


def inspect(subject: Subject, maker: InputMaker, seed: int) -> dict[str, Any]:
    """Whether the baseline differentiates, its inputs, which of them a new seed
    changes, its `plain` arguments (None where some are neither tensors nor plain), the `numbers` among all leaves, and
    the spec of every differentiable output. `still`: how many results are the same under another seed, where some
    inputs are. `updated`: the tensors among the inputs that a call writes to, where a second call on the first left
    gives something else; `moves`: whether it gives one of them another place or shape. `uncompared` results,
    `unwatched` arguments: see comparable.py."""
    one, again, other = (maker.make(number) for number in (seed, seed, seed + 1))
    places = [i for i, leaf in enumerate(tree_leaves(other)) if isinstance(leaf, torch.Tensor)]
    tensors = zip(places, tensors_of(one), tensors_of(again), tensors_of(other), strict=True)
    inputs = [describe_input(place, a, b, c) for place, a, b, c in tensors]  # before a call may update them
    for described, tensor in zip(inputs, tensors_of(one), strict=True):
        described["offsets"] = are_offsets(tensor, tensors_of(one))
    before = list(map(_place_of, tensors_of(one)))
    with _training(subject):
        outputs = _outputs(subject, one)
        updated = _updated(subject, again, one, outputs)
    still = 0 if all(one["varies"] for one in inputs) else _still(subject, maker, seed)
    return {
        "inputs": inputs,
        "still": still,
        "results": [[list(value.shape), str(value.dtype)] for value in _tensors(outputs)],
        "finite": all(map(_is_finite, _tensors(outputs))),
        "updated": updated,
        "uncompared": uncompared(outputs),
        "unwatched": unwatched(other),
        "moves": list(map(_place_of, tensors_of(one))) != before,
        "plain": [PLACE if isinstance(value, torch.Tensor) else _sendable(value) for value in other]
        if all(isinstance(value, (torch.Tensor, *PLAIN)) for value in other)
        else None,
        "numbers": [None if isinstance(value, torch.Tensor) else _sendable(value) for value in tree_leaves(other)],
        "defaults": subject.defaults(len(one)),
        "called": subject.parameter_names(),
        "wants_gradients": any(t.requires_grad for t in tensors_of(other)) or subject.module is not None,
        "differentiable": _specs(outputs),
    }


def differentiable(subject: Subject, maker: InputMaker, seed: int) -> dict[str, Any]:
    """The part of `inspect` that known inputs of another shape need."""
    with _training(subject):
        return {"differentiable": _specs(_outputs(subject, maker.make(seed)))}


@contextmanager
def _training(subject: Subject) -> Generator[None]:
    trained = subject.trains
    subject.set_training(True)
    try:
        yield
    finally:
        subject.set_training(trained)


def _outputs(subject: Subject, arguments: list[Any]) -> Sequence[Leaf]:
    outputs = flatten(subject.outputs(subject.prepare(arguments, differentiate=True)))
    synchronize(subject.device)
    return outputs


def _specs(outputs: Sequence[Leaf]) -> list[list[Any]]:
    return [[list(t.shape), str(t.dtype).removeprefix("torch.")] for t in differentiable_outputs(outputs)]


def _updated(subject: Subject, untouched: list[Any], used: list[Any], outputs: Sequence[Leaf]) -> list[int]:
    """The inputs that a call has updated; none if one more call on them changes neither them nor the outputs."""
    pairs = zip(tensors_of(untouched), tensors_of(used), strict=True)
    updated = [i for i, (before, after) in enumerate(pairs) if not same_bytes(before, after)]
    if not updated:
        return []
    left = [leaf.detach().clone() for leaf in tensors_of([used, [one.value for one in outputs]])]
    try:
        again = flatten(subject.outputs(used))
    except Exception:  # no room is left in a cache
        return updated
    now = tensors_of([used, [one.value for one in again]])
    settles = len(now) == len(left) and all(map(same_bytes, left, now))
    return [] if settles else updated


def _tensors(outputs: Iterable[Leaf]) -> list[torch.Tensor]:
    """Of a call that returns nothing: none."""
    return [leaf.value for leaf in outputs if isinstance(leaf.value, torch.Tensor)]


def _still(subject: Subject, maker: InputMaker, seed: int) -> int:
    """How many results have the same bits under two seeds, in the same state of the generators."""

    def results(seed: int) -> list[torch.Tensor]:
        with torch.no_grad():
            subject.reseed(0)
            outputs = flatten(subject.outputs(subject.prepare(maker.make(seed), False)))
            return [value.detach().clone() for value in _tensors(outputs)]

    one, other = results(seed), results(seed + 1)
    return sum(map(same_bytes, one, other)) if len(one) == len(other) else 0


def _sendable(value: Any) -> Any:
    """JSON has no infinity and no NaN, and no objects of other types."""
    if not isinstance(value, PLAIN):
        return None
    return {NUMBER: repr(value)} if isinstance(value, float) and not math.isfinite(value) else value


def _is_finite(tensor: torch.Tensor) -> bool:
    if not tensor.is_floating_point() or str(tensor.dtype).startswith("torch.float4"):
        return True
    return bool(torch.isfinite(tensor.detach().float() if tensor.element_size() == 1 else tensor.detach()).all())


def _place_of(tensor: torch.Tensor) -> tuple[int, torch.Size, tuple[int, ...]]:
    return tensor.data_ptr(), tensor.shape, tensor.stride()


def describe_input(leaf: int, one: torch.Tensor, again: torch.Tensor, other: torch.Tensor) -> dict[str, Any]:
    """Shape, dtype and how values vary; `repeats` and `varies` say whether a seed decides them. `leaf`: its place
    among the flattened arguments."""
    law = fit(other)
    differs = one.shape != other.shape or not torch.equal(_bits(one), _bits(other))
    counts = one.is_floating_point() and not str(one.dtype).startswith("torch.float4")  # packed: no arithmetic
    numbers = one.detach().double() if counts else None
    finite = numbers is not None and bool(torch.isfinite(numbers).all()) and one.numel() > 1
    return {
        "leaf": leaf,
        "law": None if law is None else asdict(law),
        "laws": [] if differs else [asdict(law) for law in laws_for(one)],
        "shape": list(one.shape),
        "stride": list(one.stride()),
        "dtype": str(one.dtype).removeprefix("torch."),
        "bytes": one.numel() * one.element_size(),
        "requires_grad": one.requires_grad,
        "repeats": one.shape == again.shape and torch.equal(_bits(one), _bits(again)),
        "varies": differs,
        "perturbable": is_perturbable(one),
        "recurs": is_perturbable(one) and _recurs(one),
        "unordered": is_integer(one) and one.dim() > 0 and one.shape[-1] > CROSSED and _falls(one),
        "ordered": is_ordered(one) and is_ordered(other),
        "ranked": differs and are_ranked(one) and are_ranked(other),
        "mean": float(numbers.mean()) if finite and numbers is not None else None,
        "std": float(numbers.std()) if finite and numbers is not None else None,
    }


def _recurs(tensor: torch.Tensor) -> bool:
    """Whether many elements have the same value, as bytes and rounded numbers have."""
    flat = reals(tensor.detach()).reshape(-1)[:SAMPLED]
    return flat.unique().numel() < DISTINCT * flat.numel()


def _falls(tensor: torch.Tensor) -> bool:
    """Whether a number is less than the one before it."""
    flat = tensor.reshape(-1)
    return bool((flat[1:] < flat[:-1]).any())


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    return plain(tensor).contiguous().reshape(-1).view(torch.uint8)
