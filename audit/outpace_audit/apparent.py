"""The dtype that a tensor of a truth run would have had: what the baseline's own code is told when it asks.

Code branches on dtypes, asserts them, and takes its eps and its masks from torch.finfo of them. Truth has to take the
same branches, so each lifted tensor remembers its apparent dtype, and results inherit it by torch's promotion rules.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

_NAME = "_outpace_apparent_dtype"
_WIDENING = {"aten::_softmax": 2, "aten::_log_softmax": 2}
"""Operators with a flag `half_to_float`, and its position."""


def apparent_dtype(tensor: torch.Tensor) -> torch.dtype:
    """The real one where nothing was lifted."""
    return getattr(tensor, _NAME, None) or tensor.dtype


def pretend(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The same tensor, for chaining."""
    setattr(tensor, _NAME, dtype)
    return tensor


def inherit(result: Any, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], default: torch.dtype) -> None:
    """Gives the new tensors of an operator's result the dtype that the operator's arguments promise."""
    new = [leaf for leaf in tree_leaves(result) if _is_lifted(leaf) and not hasattr(leaf, _NAME)]
    if new:
        promised = _promised(func, args, kwargs, default)
        for leaf in new:
            pretend(leaf, promised.to_complex() if leaf.is_complex() else promised.to_real())


def _is_lifted(leaf: Any) -> bool:
    return isinstance(leaf, torch.Tensor) and leaf.dtype in (torch.float64, torch.complex128)


def _promised(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], default: torch.dtype) -> torch.dtype:
    leaves = tree_leaves((args, kwargs))
    explicit = next((leaf for leaf in leaves if isinstance(leaf, torch.dtype)), None)
    if explicit is not None and (explicit.is_floating_point or explicit.is_complex):
        return explicit
    flag = _WIDENING.get(func._schema.name)
    if flag is not None and args[flag]:
        return torch.float32
    tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor) and _takes_part(leaf)]
    # A tensor without dimensions does not widen one that has some.
    return _promoted([tensor for tensor in tensors if tensor.dim()] or tensors, default)


def _takes_part(tensor: torch.Tensor) -> bool:
    """fp8 and fp4 are not promoted: what reads them names its result's dtype."""
    return tensor.is_complex() or (tensor.is_floating_point() and tensor.dtype.itemsize > 1)


def _promoted(tensors: Iterable[torch.Tensor], default: torch.dtype) -> torch.dtype:
    dtypes = [apparent_dtype(tensor) for tensor in tensors]
    return functools.reduce(torch.promote_types, dtypes) if dtypes else default
