"""Sees where backward passes end: the steps of a script that has no optimizer of torch's, or steps one within them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from outpace_audit.profiling.module_calls import never_compile


def in_backward() -> bool:
    """Whether this thread runs a backward pass now. To begin or end a recording there ends the process."""
    import torch

    return torch._C._current_graph_task_id() != -1  # pyright: ignore


class BackwardCalls:
    """Wraps a function of `torch.autograd`: `backward`, which `Tensor.backward` calls, or `grad`, which torch.func
    calls."""

    def __init__(self, name: str, ended: Callable[[], None]) -> None:
        self.ended = ended
        self._name = name
        self._original: Any = None
        self._wrapper: Any = None

    def install(self) -> None:
        import torch
        from torch.compiler import is_compiling

        original = self._original = getattr(torch.autograd, self._name)

        def handing_on(*args: Any, **keywords: Any) -> Any:
            """The trace's reader looks through frames of this name. A compiler that looks in finds the original."""
            if is_compiling():
                return original(*args, **keywords)
            result = original(*args, **keywords)
            if not in_backward():  # checkpointing runs one pass within another
                self.ended()
            return result

        never_compile(handing_on)
        self._wrapper = handing_on
        setattr(torch.autograd, self._name, handing_on)

    def remove(self) -> None:
        import torch

        if getattr(torch.autograd, self._name) is self._wrapper:
            setattr(torch.autograd, self._name, self._original)
