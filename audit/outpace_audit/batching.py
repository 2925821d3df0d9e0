"""Whether a target takes one more dimension in front of its tensors for a batch."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._pytree import tree_map

from outpace_audit.call_inputs import tensors_of
from outpace_audit.subject import Subject
from outpace_audit.tensors import flatten

NEAR = 1e-3
"""Far above what another order of summation moves, far below what another item's values do."""


def is_batched(subject: Subject, arguments: list[Any], seed: int) -> bool:
    """Of arguments that all begin with the batch's dimension: whether the results are those of the items, stacked."""

    def results(given: list[Any]) -> list[torch.Tensor]:
        with torch.no_grad():
            subject.reseed(seed)
            leaves = (leaf.value for leaf in flatten(subject.outputs(given)))
            return [value.detach().clone() for value in leaves if isinstance(value, torch.Tensor)]

    size = next(leaf.shape[0] for leaf in tensors_of(arguments) if leaf.dim())
    items = [
        results(tree_map(lambda value, i=i: value[i] if isinstance(value, torch.Tensor) else value, arguments))
        for i in range(size)
    ]
    whole = results(arguments)
    return len(whole) == len(items[0]) and all(
        value.shape == (size, *parts[0].shape)
        and torch.allclose(value, torch.stack(parts).to(value), NEAR, NEAR, equal_nan=True)
        for value, parts in zip(whole, zip(*items, strict=True), strict=True)
    )
