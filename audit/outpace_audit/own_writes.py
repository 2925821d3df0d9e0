"""Which of torch's own operators write past the version counters of what they are given, as those of its gradient
scaler do: whoever calls them does what torch does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from outpace_audit.overlaps import storage_of


def own_writes(tensors: Sequence[torch.Tensor], call: Callable[[], Any]) -> set[int]:
    """Those of `tensors` that operators of torch's are seen to write to, by no other tensor than the one that the
    caller holds, while its version counter stands still. A write through `.data` or an alias has another."""
    versions = [tensor._version for tensor in tensors]
    mode = _Writes()
    try:
        with mode:
            call()
    except Exception:  # what is compiled may refuse to be watched
        return set()
    aliased = {storage_of(one) for one in mode.written if not any(one is tensor for tensor in tensors)}
    return {
        i
        for i, tensor in enumerate(tensors)
        if tensor._version == versions[i]
        and any(one is tensor for one in mode.written)
        and storage_of(tensor) not in aliased
    }


class _Writes(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.written: list[torch.Tensor] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func.namespace == "aten":
            self.written += _mutable(func, args, kwargs or {})
        return func(*args, **(kwargs or {}))


def _mutable(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[torch.Tensor]:
    for number, declared in enumerate(func._schema.arguments):
        if declared.alias_info is None or not declared.alias_info.is_write:
            continue
        given = args[number] if number < len(args) else kwargs.get(declared.name)
        yield from (one for one in tree_leaves(given) if isinstance(one, torch.Tensor))
