"""Whether an operator's integers have left their type: what it then gives is the machine's, and nobody's to agree
with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

ARITHMETIC = frozenset(
    ("add", "sub", "rsub", "mul", "neg", "abs", "pow", "square", "sum", "prod", "cumsum", "cumprod", "addcmul")
) | frozenset(("mm", "bmm", "mv", "dot", "addmm", "addmv", "baddbmm", "index_add", "scatter_add"))
CASTS = frozenset(("_to_copy", "copy"))
SHIFTS = frozenset(("bitwise_left_shift", "__lshift__", "__ilshift__"))

SLACK = 2.0**-20
"""Of a result's size: fp64 rounds sums of 64-bit words, and an overflow is off by half of its type or more."""


def exact_result(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> torch.Tensor | None:
    """What an operator on integers would give without limits, in fp64; None of one that cannot overflow. Asked for
    before it runs, since it may write to its arguments."""
    name = func._schema.name.rpartition("::")[2]
    name = name if name.startswith("__") else name.removesuffix("_")
    if name in CASTS:
        source = args[name == "copy"]
        return None if source.is_complex() else source.detach().double().trunc()
    tensors = [one for one in tree_leaves([*args, *kwargs.values()]) if isinstance(one, torch.Tensor)]
    if not tensors or any(one.is_floating_point() or one.is_complex() for one in tensors):
        return None
    if name in SHIFTS:
        return args[0].double() * torch.exp2(torch.as_tensor(args[1]).double())
    if name not in ARITHMETIC:
        return None
    named = zip(func._schema.arguments, args, strict=False)
    return func(*(_doubled(one.name, value) for one, value in named), **{k: _doubled(k, v) for k, v in kwargs.items()})


def _doubled(name: str, value: Any) -> Any:
    if isinstance(value, torch.dtype):
        return torch.float64
    return value.detach().double() if isinstance(value, torch.Tensor) and name != "index" else value


def overflows(exact: torch.Tensor | None, result: Any) -> bool:
    """Whether a result of integers is not the exact one."""
    whole = isinstance(result, torch.Tensor) and not (result.is_floating_point() or result.is_complex())
    if exact is None or not whole or result.dtype == torch.bool:
        return False
    return bool(((result.double() - exact).abs() > 0.5 + SLACK * exact.abs()).any())
