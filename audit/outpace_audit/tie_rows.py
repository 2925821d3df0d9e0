"""How integer outputs are cut into rows, whether order in a row matters, and which floats go with a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

_NEARLY_ALL = 0.99
"""Share of rows that decides about order: a near-tie now and then is no evidence."""


def is_integer(tensor: torch.Tensor) -> bool:
    return not tensor.dtype.is_floating_point and not tensor.dtype.is_complex


@dataclass(frozen=True, slots=True)
class Layout:
    """How one integer output and its companions are cut into rows."""

    index: int
    width: int
    ordered: bool
    permuted: tuple[int, ...]
    """Companions of the integers' own shape: reordered with them."""
    followers: tuple[int, ...]
    """Companions with one row per row of integers: [..., D]."""

    def split(self, outputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, dict[int, torch.Tensor]]:
        """Integer rows [R, K] and companions by output index, [R, K] or [R, D], rows sorted where order is
        free."""
        rows = outputs[self.index].reshape(-1, self.width).to(torch.int64)
        floats = {i: outputs[i].reshape(rows.shape) for i in self.permuted}
        floats |= {i: outputs[i].reshape(rows.shape[0], -1) for i in self.followers}
        if self.ordered:
            return rows, floats
        rows, order = rows.sort(dim=-1, stable=True)
        for i in self.permuted:
            floats[i] = floats[i].gather(-1, order)
        return rows, floats


def make_layout(
    index: int,
    truth: Sequence[torch.Tensor],
    baseline: Sequence[torch.Tensor],
    taken: set[int],
    ordered: bool | None,
) -> Layout:
    shape = truth[index].shape
    free = [i for i, other in enumerate(truth) if i not in taken and not is_integer(other)]
    permuted = tuple(i for i in free if truth[i].shape == shape)
    if ordered is None:
        ordered = _ordered(truth[index], baseline[index], [truth[i] for i in permuted])
    # An ordered 1-D output (argmax per token, a whole argsort) is one decision per element.
    width = 1 if len(shape) < 2 and ordered else shape[-1] if shape else 1
    rows = truth[index].numel() // width
    followers = tuple(
        i
        for i in free
        if i not in permuted and truth[i].dim() and truth[i].numel() and truth[i].shape[:-1].numel() == rows
    )
    return Layout(index, width, ordered, permuted, followers)


def _ordered(truth: torch.Tensor, baseline: torch.Tensor, companions: Sequence[torch.Tensor]) -> bool:
    """Whether the order within a row belongs to the answer.

    It does for rows with repeats (argmax over positions) and for whole permutations (argsort): as sets they
    would say nothing. It does not where the baseline's own order differs from truth's on rows that agree as
    sets. Else a companion decides: scores that run monotonically along nearly all rows were sorted; without
    any, order is kept.
    """
    if truth.dim() == 0 or truth.shape[-1] == 1:
        return True
    rows, base = truth.reshape(-1, truth.shape[-1]), baseline.reshape(-1, truth.shape[-1])
    canonical = rows.sort(-1).values
    if bool((canonical.diff(dim=-1) == 0).any()):
        return True
    if bool((canonical[:, -1] - canonical[:, 0] == rows.shape[-1] - 1).all()):
        return True
    settled = (canonical == base.sort(-1).values).all(-1)
    same_order = (rows == base).all(-1)[settled]
    if same_order.numel() and float(same_order.double().mean()) < _NEARLY_ALL:
        return False
    if not companions:
        return True
    steps = companions[0].reshape(rows.shape).double().diff(dim=-1)
    monotone = (steps <= 0).all(-1) | (steps >= 0).all(-1)
    return float(monotone.double().mean()) >= _NEARLY_ALL
