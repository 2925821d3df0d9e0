"""One tensor of a call's inputs or parameters changed, and the same for the same seed: what is remembered by some
elements, a sum or a prefix is then stale, and so is what is remembered while another tensor stays as it was."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import torch

from outpace_audit.inputs import is_index, is_integer, is_loose
from outpace_audit.tensors import is_inexact, reals
from outpace_audit.thresholds import NUDGES, REARRANGED, RENEWED, REORDERED
from outpace_audit.values import MANY
from outpace_audit.whole_numbers import is_whole, whole_columns

LOUDNESS = (1.0, 4.0)
"""Times the largest of a few other elements: what depends on the element then moves by far more than rounding, while a
sum of all, rounded itself, may not."""

OTHERS = 16

SPARSE = 16
"""Whole numbers that all differ, and are so many times fewer than there are between the least and the greatest of
them, and beyond what selects (`values.MANY`): codes, hashes, packed bits. A permutation and its inverse are dense."""

CHANGES = (*NUDGES * ["nudge"], *REARRANGED * ["rearrange"], *REORDERED * ["reorder"], *RENEWED * ["part"])
UNLEARNED = (*NUDGES * [("nudge", "inferring")], *NUDGES * [("nudge", "unrecorded")])
"""Where nobody records gradients: what a module makes of its parameters is kept there, and they change in place."""


def nudge_one(tensors: Sequence[torch.Tensor], seed: int) -> None:
    """One element; seeds in a row choose tensors in a row. Masks and constants stay as they are, and so does a tensor
    whose elements share memory. A whole number becomes another one of its tensor's, an index one of its row's, within
    which they mean the same, one of a column of whole floats one of that; two codes of a row
    change places, none of them at an end: a table that something is looked up in holds the same ones then. Other
    integers that are sorted, or all different, stay."""
    free = [
        reals(tensor.detach())
        for tensor in tensors
        if (is_loose(tensor) or _is_free_number(tensor)) and 0 not in tensor.stride()
    ]
    if not free:
        return
    chance = random.Random(seed)
    chosen = free[seed % len(free)]
    at = [chance.randrange(size) for size in chosen.shape]
    if are_codes(chosen):
        _swap_two(_inner(chosen), -1, chance)
        return
    place = chosen[tuple(at)]
    row = chosen[tuple(at[:-1])] if is_index(chosen) else chosen
    whole = is_whole(chosen)
    if at and at[-1] in whole_columns(chosen):
        row, whole = chosen[..., at[-1]], True
    others = [_element(row, chance) for _ in range(OTHERS)]
    if chosen.is_floating_point() and not whole:
        place.copy_(max(others, key=lambda other: abs(float(other))) * chance.choice(LOUDNESS))
    else:
        place.copy_(max(others, key=lambda other: abs(float(other) - float(place))))


def rearrange_one(tensors: Sequence[torch.Tensor], seed: int) -> None:
    """Two elements change places, or all do along one dimension: sorted values stay, and sums but for their roundings.
    Integers move along their last dimension, within which they mean the same; those that are sorted, or all different,
    stay."""
    free = [reals(tensor.detach()) for tensor in tensors if _may_be_rearranged(tensor)]
    if not free:
        return
    chance = random.Random(seed)
    chosen = free[seed % len(free)]
    dims = [dim for dim, size in enumerate(chosen.shape) if size > 1]
    dims = dims[:-1] if whole_columns(chosen) else dims  # columns mean different things there
    dim = chance.choice(dims) if chosen.is_floating_point() else chosen.dim() - 1
    if chance.random() < 0.5:
        _swap_two(chosen, dim, chance)
    else:
        order = list(range(chosen.shape[dim]))
        chance.shuffle(order)
        chosen.copy_(chosen.index_select(dim, torch.tensor(order, device=chosen.device)))


def reorder_one(tensors: Sequence[torch.Tensor], seed: int) -> None:
    """What lies along one dimension of one tensor, whole, in another order: each row's own result goes with it, and so
    do all counts of them. Seeds in a row choose tensors in a row. The last dimension only where there is no other."""
    free = [reals(tensor.detach()) for tensor in tensors if _may_be_rearranged(tensor) and tensor.dim()]
    if not free:
        return
    chance = random.Random(seed)
    chosen = free[seed % len(free)]
    dims = [dim for dim, size in enumerate(chosen.shape[: max(1, chosen.dim() - 1)]) if size > 1]
    if not dims:
        return
    dim = chance.choice(dims)
    order = list(range(chosen.shape[dim]))
    while order == sorted(order):
        chance.shuffle(order)
    chosen.copy_(chosen.index_select(dim, torch.tensor(order, device=chosen.device)))


def renew_part(tensors: Sequence[torch.Tensor], others: Sequence[torch.Tensor], seed: int) -> None:
    """Half of one tensor along one dimension gets the values that it has in `others`, drawn from another seed: of two
    rows one keeps what a plan was made for. Seeds in a row choose integers along each dimension, then floats along
    one. What has an order, or is all different, keeps it."""
    parts = list(_parts(tensors, others))
    if not parts:
        return
    place, dim = parts[seed % len(parts)]
    old, new = tensors[place].detach(), others[place].detach()
    half = old.shape[dim] // 2
    start = random.Random(seed).choice((0, old.shape[dim] - half))
    old.narrow(dim, start, half).copy_(new.narrow(dim, start, half))


def _parts(tensors: Sequence[torch.Tensor], others: Sequence[torch.Tensor]) -> Iterator[tuple[int, int]]:
    floats: list[tuple[int, int]] = []
    for place, (old, new) in enumerate(zip(tensors, others, strict=True)):
        dims = [dim for dim, size in enumerate(old.shape) if size > 1]
        if old.shape != new.shape or not dims or 0 in old.stride():
            continue
        if is_integer(old) and _recurs_unsorted(old) and _recurs_unsorted(new):
            yield from ((place, dim) for dim in dims)
        elif is_loose(old) and is_loose(new):
            floats.append((place, dims[place % len(dims)]))
    yield from floats


def _swap_two(tensor: torch.Tensor, dim: int, chance: random.Random) -> None:
    """The pair that differs most of a few: only what differs can be missed."""
    pairs: list[tuple[torch.Tensor, torch.Tensor]] = []
    for _ in range(OTHERS):
        place = [chance.randrange(size) for size in tensor.shape]
        other = list(place)
        other[dim] = chance.randrange(tensor.shape[dim])
        pairs.append((tensor[tuple(place)], tensor[tuple(other)]))
    one, two = max(pairs, key=lambda pair: abs(float(pair[0]) - float(pair[1])))
    kept = one.clone()
    one.copy_(two)
    two.copy_(kept)


def _may_be_rearranged(tensor: torch.Tensor) -> bool:
    if 0 in tensor.stride() or tensor.numel() < 2:
        return False
    if is_inexact(tensor):
        return is_loose(tensor)
    return is_integer(tensor) and tensor.shape[-1] > 1 and _is_in_no_order(tensor)


def _is_free_number(tensor: torch.Tensor) -> bool:
    if not is_integer(tensor) or tensor.numel() < 2:
        return False
    return tensor.shape[-1] > 1 and _is_in_no_order(tensor)


def _is_in_no_order(tensor: torch.Tensor) -> bool:
    return _recurs_unsorted(tensor) or are_codes(tensor)


def _inner(tensor: torch.Tensor) -> torch.Tensor:
    """Without the ends of each dimension that has more than what `_swap_two` takes between them."""
    for dim, size in enumerate(tensor.shape):
        if size > 3:
            tensor = tensor.narrow(dim, 1, size - 2)
    return tensor


def are_codes(tensor: torch.Tensor) -> bool:
    """Whether nobody can mind in which order they are; see SPARSE."""
    if not is_index(tensor) or tensor.numel() < 2:
        return False
    flat = tensor.reshape(-1)
    low, high = (int(end) for end in flat.aminmax())
    apart = high > MANY and high - low > SPARSE * flat.numel()
    return apart and bool((flat[1:] < flat[:-1]).any()) and flat.unique().numel() == flat.numel()


def _recurs_unsorted(tensor: torch.Tensor) -> bool:
    flat = tensor.reshape(-1)
    return bool((flat[1:] < flat[:-1]).any()) and flat.unique().numel() < flat.numel()


def _element(tensor: torch.Tensor, chance: random.Random) -> torch.Tensor:
    return tensor[tuple(chance.randrange(size) for size in tensor.shape)]
