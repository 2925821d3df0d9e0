"""The law that one inspected input seems to follow, so that it can be drawn anew at another shape."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from outpace_audit.records import Law
from outpace_audit.tensors import reals
from outpace_audit.whole_numbers import whole_columns

SAMPLE = 1 << 16
"""Elements that are looked at: enough for a mean within half a percent of a standard deviation."""

FEW_VALUES = 3
"""A floating tensor with at most so many values is a mask or a table of flags: nobody can say how it grows."""

LONG = 8
"""From this length on, an order or a permutation does not come about by chance (1 in 8!)."""


def fit(tensor: torch.Tensor) -> Law | None:
    """None where the values have a structure that a fresh draw would lose: masks by position, offsets, permutations,
    running sums, page tables."""
    if tensor.numel() == 0:
        return None
    if tensor.is_complex():
        return _fit_floats(reals(tensor.detach()).reshape(1, -1)[:, :SAMPLE].cpu().to(torch.float64))
    if str(tensor.dtype).startswith("torch.float4"):
        return Law("fp4_packed")
    causal = _fit_causal(tensor.detach())
    if causal is not None:
        return causal
    rows = _sample(tensor)
    if tensor.dtype == torch.bool:
        return _fit_flags(rows)
    if tensor.is_floating_point():
        law = _fit_floats(rows.to(torch.float64))
        return law and _with_whole_columns(law, tensor.detach())
    return _fit_integers(rows)


def _fit_causal(tensor: torch.Tensor) -> Law | None:
    """One value on and below the diagonal of every matrix, another one above."""
    square = tensor.dim() >= 2 and tensor.shape[-1] == tensor.shape[-2] > 1
    if not square or (tensor.element_size() == 1 and tensor.dtype != torch.bool):
        return None
    first = tensor.reshape(-1, *tensor.shape[-2:])[0]
    kept, above = first[0, 0], first[0, -1]
    mask = torch.ones_like(first, dtype=torch.bool).triu_(1)
    if bool(kept == above) or not bool((tensor == torch.where(mask, above, kept)).all()):
        return None
    return Law("causal", {"low": repr(float(above)), "keep": repr(float(kept))})


def _sample(tensor: torch.Tensor) -> torch.Tensor:
    """[rows, last dim], at most SAMPLE elements or one row."""
    plain = tensor.detach()
    rows = plain.reshape(-1, plain.shape[-1]) if plain.dim() else plain.reshape(1, 1)
    return rows[: max(1, SAMPLE // rows.shape[1])].cpu()


def _fit_flags(rows: torch.Tensor) -> Law | None:
    share = float(rows.to(torch.float64).mean())
    if 0.0 < share < 1.0 and _ordered(rows.to(torch.int8)):
        return None  # padding and causal masks go from one value to the other once in a row
    return Law("bernoulli", {"p": share})


def _with_whole_columns(law: Law, tensor: torch.Tensor) -> Law:
    """Named with the least and the greatest number of each."""
    held = {column: tensor[..., column] for column in whole_columns(tensor)}
    said = ",".join(f"{column}:{int(one.min())}:{int(one.max())}" for column, one in held.items())
    return Law(law.kind, {**law.params, "whole": said}) if said else law


def _fit_integers(rows: torch.Tensor) -> Law | None:
    values = rows.reshape(-1).to(torch.int64)
    low, high = int(values.min()), int(values.max())
    distinct = int(torch.unique(values).numel())
    structured = low < high and (_ordered(rows) or (values.numel() >= LONG and distinct == values.numel()))
    constant = low == high and values.numel() >= LONG
    if structured and len(rows) == 1 and _falls(values):
        return Law("integers", {"low": low, "high": high + 1, "order": "falls"})
    return None if structured or constant else Law("integers", {"low": low, "high": high + 1})


def _falls(values: torch.Tensor) -> bool:
    """Lengths or places of a batch that was sorted, the longest first. (Numbers that rise may be offsets, and those at
    equal distances places in a row.)"""
    steps = values[1:] - values[:-1]
    return values.numel() >= LONG and bool((values >= 0).all() and (steps <= 0).all() and (steps != steps[0]).any())


def _fit_floats(rows: torch.Tensor) -> Law | None:
    if not bool(torch.isfinite(rows).all()):
        return None
    low, high = float(rows.min()), float(rows.max())
    if low == high:
        return Law("normal", {"mean": low, "std": 0.1 * abs(low) or 1.0})
    if (torch.unique(rows).numel() <= FEW_VALUES and rows.numel() > FEW_VALUES) or _ordered(rows):
        return None
    if low >= 0.0:
        sums_to_one = rows.shape[1] > 1 and bool(((rows.sum(-1) - 1.0).abs() < 1e-2).all())
        return Law("softmax") if sums_to_one else Law("uniform", {"low": low, "high": high})
    return Law("normal", {"mean": float(rows.mean()), "std": float(rows.std(correction=0))})


def laws_for(tensor: torch.Tensor) -> list[Law]:
    """By which a constant integer tensor may be drawn, in the order in which they are tried: none leaves the range of
    what the maker gives."""
    if tensor.dtype not in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8) or tensor.numel() < 2:
        return []
    rows = tensor.detach().reshape(-1, tensor.shape[-1]).to("cpu", torch.int64)
    low, high = int(rows.min()), int(rows.max())
    if low == high:
        return []
    between = Law("integers", {"low": low, "high": high + 1})
    length = rows.shape[1]
    permutes = length > 1 and bool((rows.sort(-1).values == torch.arange(length)).all())
    rises = length > 1 and is_monotone(rows) and bool((rows[:, 0] == low).all() and (rows[:, -1] == high).all())
    found = [Law("permutation")] if permutes else []
    if rises:
        found.append(Law("sorted_integers", {"low": low, "high": high + 1}))
    return [*found, between] if not rises or length >= LONG else found


def is_ordered(tensor: torch.Tensor) -> bool:
    """Floats that rise or fall along the last dimension, throughout and not by chance: knots, edges, running sums."""
    if not tensor.is_floating_point() or tensor.dim() == 0 or tensor.shape[-1] < LONG or tensor.element_size() < 2:
        return False
    rows = tensor.detach().reshape(-1, tensor.shape[-1])
    return is_monotone(rows[:1]) and bool((rows[:, 0] != rows[:, -1]).any()) and is_monotone(rows)


def are_ranked(tensor: torch.Tensor) -> bool:
    """Whole numbers of one dimension that rise or fall throughout, and not by chance: lengths of a batch that was
    sorted."""
    whole = tensor.dtype in (torch.int64, torch.int32) and tensor.dim() == 1 and tensor.numel() >= LONG
    return whole and bool(tensor[0] != tensor[-1]) and is_monotone(tensor[None])


def are_offsets(tensor: torch.Tensor, others: Iterable[torch.Tensor]) -> bool:
    """Whole numbers from 0 upwards that end at a size of one of `others`: where each part of it begins. Out of that
    order they mean nothing, whatever a slice makes of them."""
    if tensor.dtype not in (torch.int64, torch.int32) or tensor.dim() != 1 or tensor.numel() < LONG:
        return False
    rising = int(tensor[0]) == 0 < int(tensor[-1]) and bool((tensor[1:] >= tensor[:-1]).all())
    return rising and any(int(tensor[-1]) in other.shape for other in others if other is not tensor)


def _ordered(rows: torch.Tensor) -> bool:
    """Every row rises or falls throughout, and rows are long enough for that to mean something."""
    if rows.shape[1] < LONG:
        return rows.shape[1] > 1 and rows.numel() >= LONG and is_monotone(rows.reshape(1, -1))
    return is_monotone(rows)


def is_monotone(rows: torch.Tensor) -> bool:
    steps = rows[:, 1:] - rows[:, :-1]
    return bool((steps >= 0).all() or (steps <= 0).all())
