"""Sees optimizers step, but for steps that are compiled: to leave the compiled code would change what is profiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class OptimizerSteps:
    """The hook that runs after each step."""

    def __init__(self, stepped: Callable[[torch.optim.Optimizer], None]) -> None:
        from torch.compiler import is_compiling

        self._is_compiling = is_compiling
        self.stepped = stepped
        self.compiled = False
        """Whether there are steps that are not seen. A compiler keeps this line, and nothing else of the hook."""

    def __call__(self, optimizer: torch.optim.Optimizer, *_: object) -> None:
        if self._is_compiling():
            self.compiled = True
        else:
            self.stepped(optimizer)
