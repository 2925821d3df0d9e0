"""Sees the outermost calls of modules: the steps of a script that has no optimizer."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class ModuleCalls:
    """Wraps `nn.Module.__call__`; compiled code is told not to look into the wrapper."""

    def __init__(self, called: Callable[[torch.nn.Module], None]) -> None:
        self._called = called
        self._thread = threading.get_ident()
        self._depth = 0
        self._original: Any = None

    def install(self) -> None:
        from torch import nn

        original = self._original = nn.Module.__call__

        def wrapped(module: torch.nn.Module, *args: Any, **keywords: Any) -> Any:
            if threading.get_ident() != self._thread:
                return original(module, *args, **keywords)
            self._depth += 1
            try:
                result = original(module, *args, **keywords)
            finally:
                self._depth -= 1
            if self._depth == 0:
                self._called(module)
            return result

        _never_compile(wrapped)
        nn.Module.__call__ = wrapped

    def remove(self) -> None:
        from torch import nn

        if self._original is not None:
            nn.Module.__call__ = self._original
            self._original = None

    def an_optimizer(self) -> bool:
        """Whether the script holds an optimizer, which will step sooner or later."""
        from torch.optim import Optimizer

        return any(issubclass(type(one), Optimizer) for one in gc.get_objects())


def _never_compile(function: Callable[..., Any]) -> None:
    """Without importing torch._dynamo, which takes seconds that a script without compiled code never spends."""
    with contextlib.suppress(Exception):
        from torch._C._dynamo.eval_frame import skip_code  # pyright: ignore

        skip_code(function.__code__)
