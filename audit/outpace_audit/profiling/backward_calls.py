"""Sees where backward passes end: the steps of a script that has no optimizer of torch's, or steps one within them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def in_backward() -> bool:
    """Whether this thread runs a backward pass now. To begin or end a recording there ends the process."""
    import torch

    return torch._C._current_graph_task_id() != -1  # pyright: ignore


class BackwardCalls:
    """Wraps `torch.autograd.backward`, which `Tensor.backward` calls."""

    def __init__(self, ended: Callable[[], None]) -> None:
        self.ended = ended
        self._original: Any = None
        self._wrapper: Any = None

    def install(self) -> None:
        import torch

        original = self._original = torch.autograd.backward

        def handing_on(*args: Any, **keywords: Any) -> None:
            """The trace's reader looks through frames of this name."""
            original(*args, **keywords)
            if not in_backward():  # checkpointing runs one pass within another
                self.ended()

        self._wrapper = torch.autograd.backward = handing_on

    def remove(self) -> None:
        import torch

        if torch.autograd.backward is self._wrapper:
            torch.autograd.backward = self._original
