"""Sees CUDA graphs: of a step that is captured nothing runs yet, and where it is replayed none of its Python does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from outpace_audit.profiling.backward_calls import in_backward
from outpace_audit.profiling.module_calls import never_compile

WRAPPED = ("capture_begin", "capture_end", "replay")


class GraphReplays:
    """Wraps methods of `torch.cuda.CUDAGraph`. What ends a step within a capture does so in each replay."""

    def __init__(self) -> None:
        self._captured: int | None = None
        """The graph that is being captured now: to wait for the device then would end it, and the script."""
        self._steps: dict[int, Callable[[], None]] = {}
        self._originals: dict[str, Any] = {}
        self._wrappers: dict[str, Any] = {}

    def defers(self, step: Callable[[], None]) -> bool:
        """Whether a graph is being captured; then of what it steps the last is kept."""
        if self._captured is None:
            return False
        self._steps[self._captured] = step
        return True

    def install(self) -> None:
        from torch.cuda import CUDAGraph

        for name, then in zip(WRAPPED, (self._begins, self._ended, self._replayed), strict=True):
            self._originals[name] = getattr(CUDAGraph, name)
            self._wrappers[name] = _handing_on(self._originals[name], then, before=name == "capture_end")
            setattr(CUDAGraph, name, self._wrappers[name])

    def remove(self) -> None:
        from torch.cuda import CUDAGraph

        for name, wrapper in self._wrappers.items():
            if getattr(CUDAGraph, name) is wrapper:
                setattr(CUDAGraph, name, self._originals[name])

    def _begins(self, graph: object) -> None:
        self._captured = id(graph)

    def _ended(self, _: object) -> None:
        self._captured = None

    def _replayed(self, graph: object) -> None:
        if (step := self._steps.get(id(graph))) is not None and not in_backward():
            step()


def _handing_on(original: Any, then: Callable[[object], None], *, before: bool) -> Any:
    def handing_on(self: object, *args: Any, **keywords: Any) -> Any:
        """The trace's reader looks through frames of this name."""
        if before:
            then(self)
        result = original(self, *args, **keywords)
        if not before:
            then(self)
        return result

    never_compile(handing_on)
    return handing_on
