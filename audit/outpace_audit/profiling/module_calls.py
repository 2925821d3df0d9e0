"""Sees the outermost calls of modules: the steps of a script that has no optimizer."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class ModuleCalls:
    """Wraps `nn.Module.__call__`; a compiler that looks into the wrapper finds the original call."""

    def __init__(self, called: Callable[[torch.nn.Module], None]) -> None:
        self.called = called
        self._thread = threading.get_ident()
        self._depth = 0
        self._original: Any = None

    def install(self) -> None:
        from torch import nn
        from torch.compiler import is_compiling

        original = self._original = nn.Module.__call__
        calls = self

        def handing_on(self: torch.nn.Module, *args: Any, **keywords: Any) -> Any:
            """The profiler knows calls of modules by this function's code, and takes the module from its `self`.
            Code that is compiled through it runs in a frame of its name: the trace's reader looks through that."""
            if is_compiling() or threading.get_ident() != calls._thread:
                return original(self, *args, **keywords)
            calls._depth += 1
            try:
                result = original(self, *args, **keywords)
            finally:
                calls._depth -= 1
            if calls._depth == 0:
                calls.called(self)
            return result

        never_compile(handing_on)
        nn.Module.__call__ = handing_on

    def remove(self) -> None:
        from torch import nn

        if self._original is not None:
            nn.Module.__call__ = self._original
            self._original = None


def never_compile(function: Callable[..., Any]) -> None:
    """Without importing torch._dynamo, which takes seconds that a script without compiled code never spends."""
    with contextlib.suppress(Exception):
        from torch._C._dynamo.eval_frame import skip_code  # pyright: ignore

        skip_code(function.__code__)
