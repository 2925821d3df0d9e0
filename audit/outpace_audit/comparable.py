"""What of a call's arguments and results an audit can neither compare nor watch: tensors are seen in tensors, and in
tuples, lists, dicts and dataclasses; what an object holds is not."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from outpace_audit.tensors import Leaf

PLAIN_RESULTS = (
    bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device, torch.layout, torch.memory_format,
)  # fmt: skip
"""Equal where they are written the same."""
CODE = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)
"""What it reads is not an argument."""
OBJECTS = 10_000
"""What is looked at within one argument: a tensor lies near the top, and a graph of objects may have no end."""


def is_plain_tensor(value: Any) -> bool:
    return type(value) in (torch.Tensor, torch.nn.Parameter)


def uncompared(outputs: Iterable[Leaf]) -> list[str]:
    """The results of which only the type would be compared, in words."""
    return [
        f"{leaf.path} is a {type(leaf.value).__name__}"
        for leaf in outputs
        if not is_plain_tensor(leaf.value) and not isinstance(leaf.value, PLAIN_RESULTS)
    ]


def unwatched(arguments: Sequence[Any]) -> list[str]:
    """The objects among the arguments that hold tensors, in words: these would stay as they are from seed to seed, and
    what a call writes to them would not be seen."""
    return [
        f"argument {number} has a {type(leaf).__name__}"
        for number, argument in enumerate(arguments)
        for leaf in tree_leaves(argument)
        if not isinstance(leaf, torch.Tensor) and _holds_tensors(leaf)
    ]


def _holds_tensors(value: Any) -> bool:
    waiting, seen = [value], set[int]()
    while waiting and len(seen) < OBJECTS:
        one = waiting.pop()
        if isinstance(one, torch.Tensor):
            return True
        if id(one) not in seen:
            seen.add(id(one))
            waiting += _held(one)
    return False


def _held(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, (tuple, list, set, frozenset)):
        return list(value)
    if isinstance(value, CODE):
        return []
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ()) if isinstance(name, str)]
    return [*getattr(value, "__dict__", {}).values(), *(getattr(value, name, None) for name in slots)]
