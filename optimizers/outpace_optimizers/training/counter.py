"""Counts what a script trains on. Goes into a run as entering.py has it: the standard library and the script's torch.

Each process keeps its counts in a file of its own, mapped into memory, so that they outlive whatever ends it.
"""

from __future__ import annotations

import importlib.util
import mmap
import os
import struct
import sys
import threading
import weakref
from collections import Counter
from pathlib import Path
from typing import Any

FOLDER = "OUTPACE_COUNTS"
FIELDS = struct.Struct("<6q")
"""Elements that losses were made of and gradients taken for, updates of the parameter that had most, backward passes,
replays of CUDA graphs that did not lie within a module's call, and elements that were given without gradients between
two backward passes, at most and the last time: an evaluation's."""


_COUNTED = ("elements", "updates", "passes", "replays", "evaluated", "evaluated_last")


class _Place(threading.local):
    """Where a thread is: within calls of modules, backward passes, steps of optimizers; and what it was given there."""

    def __init__(self) -> None:
        self.calls, self.backward, self.steps = 0, 0, 0
        self.given: Counter[int] = Counter()
        self.seen: set[object] = set()


class Counts:
    """`elements`: tokens of whole numbers, rows of other inputs. Of modules that are called side by side for one loss
    the one that was given most counts: layers that a script calls one after the other have the same rows."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._pid = folder, 0
        self._place, self._backward, self._evaluates = _Place(), 0, False
        self._updates: dict[int, tuple[weakref.ref[Any], int]] = {}

    def _add(self, **more: int) -> None:
        if self._pid != os.getpid():
            self._open()
        for name, number in more.items():
            self._numbers[name] += number
        self._numbers["evaluated"] = max(self._numbers["evaluated"], self._numbers["evaluated_last"])
        FIELDS.pack_into(self._file, 0, *self._numbers.values())

    def _open(self) -> None:
        """Anew in a forked child, which has counted nothing yet."""
        self._pid = os.getpid()
        path = self._folder / f"{self._pid}-{os.urandom(4).hex()}"
        path.write_bytes(bytes(FIELDS.size))
        with path.open("r+b") as file:
            self._file = mmap.mmap(file.fileno(), FIELDS.size)
        self._numbers: dict[str, int] = dict.fromkeys(_COUNTED, 0)
        self._updates = {}

    def calls(self, whole: Any, torch: Any) -> Any:
        """`Module.__call__`. What is compiled sees nothing of it."""

        def counted(module: Any, *args: Any, **kwargs: Any) -> Any:
            if torch.compiler.is_compiling():
                return whole(module, *args, **kwargs)
            place = self._place
            if not place.calls and not self._recomputes(place):
                elements = self._elements(torch, (*args, *kwargs.values()))
                if module.training and torch.is_grad_enabled():
                    place.given[id(module)] += elements
                else:
                    self._evaluate(elements)
            place.calls += 1
            try:
                return whole(module, *args, **kwargs)
            finally:
                place.calls -= 1

        return counted

    def _evaluate(self, elements: int) -> None:
        if self._evaluates:
            self._add(evaluated_last=elements)
        elif elements:
            self._add()  # opens what a forked child counts in
            self._add(evaluated_last=elements - self._numbers["evaluated_last"])
            self._evaluates = True

    def _recomputes(self, place: _Place) -> bool:
        """Within a backward pass, as checkpointed layers do; on a GPU that is a thread of torch's."""
        foreign = isinstance(threading.current_thread(), threading._DummyThread)  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]
        return bool(place.backward or (foreign and self._backward))

    def _elements(self, torch: Any, inputs: tuple[Any, ...]) -> int:
        given = next((one for one in inputs if isinstance(one, torch.Tensor) and one.dim()), None)
        if given is None or (self._place.steps and not self._new(torch, given)):
            return 0
        rows = given.is_floating_point() or given.is_complex()
        return given.shape[0] if rows else given.numel()

    def _new(self, torch: Any, given: Any) -> bool:
        """Within a step of an optimizer with a closure, LBFGS's say, the same input comes several times."""
        flat = given.detach().flatten().to("cpu", torch.float64)
        mark = (tuple(given.shape), float(flat @ torch.arange(1, len(flat) + 1, dtype=torch.float64)))
        known = mark in self._place.seen
        self._place.seen.add(mark)
        return not known

    def passes(self, whole: Any) -> Any:
        """`torch.autograd.backward` or `grad`."""

        def counted(*args: Any, **kwargs: Any) -> Any:
            place = self._place
            place.backward += 1
            self._backward += 1
            try:
                return whole(*args, **kwargs)
            finally:
                place.backward -= 1
                self._backward -= 1
                if not place.backward:
                    self._add(elements=max(place.given.values(), default=0), passes=1)
                    place.given.clear()
                    self._evaluates = False

        return counted

    def replays(self, whole: Any) -> Any:
        def counted(*args: Any, **kwargs: Any) -> Any:
            if not self._place.calls and not self._place.backward:
                self._add(replays=1)
            return whole(*args, **kwargs)

        return counted

    def begins_step(self, *_: object) -> None:
        self._place.steps += 1

    def ends_step(self, optimizer: Any, *_: object) -> None:
        self._place.steps = max(0, self._place.steps - 1)
        self._place.seen.clear()
        before = self._most()
        for parameter in (one for group in optimizer.param_groups for one in group["params"]):
            if parameter.grad is not None:
                known, number = self._updates.get(id(parameter), (None, 0))
                if known is None or known() is not parameter:
                    known, number = weakref.ref(parameter), 0
                self._updates[id(parameter)] = known, number + 1
        self._add(updates=max(0, self._most() - before))

    def _most(self) -> int:
        return max((number for _, number in self._updates.values()), default=0)


class _Finder:
    """Lets torch be imported as ever, and counts from then on."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        if name != "torch" or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)  # pyright: ignore[reportArgumentType]
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                install(self._counts, module)

            spec.loader.exec_module = exec_module
        return spec


def install(counts: Counts, torch: Any) -> None:
    optimizers = sys.modules["torch.optim.optimizer"]
    torch.nn.Module.__call__ = counts.calls(torch.nn.Module.__call__, torch)
    optimizers.register_optimizer_step_pre_hook(counts.begins_step)
    optimizers.register_optimizer_step_post_hook(counts.ends_step)
    torch.autograd.backward = counts.passes(torch.autograd.backward)
    torch.autograd.grad = counts.passes(torch.autograd.grad)
    torch.cuda.CUDAGraph.replay = counts.replays(torch.cuda.CUDAGraph.replay)


def begin() -> None:
    """The folder is the first process's current one, and its children's by the variable."""
    folder = Path(os.environ[FOLDER]).resolve()
    os.environ[FOLDER] = str(folder)
    folder.mkdir(exist_ok=True)
    sys.meta_path.insert(0, _Finder(Counts(folder)))  # pyright: ignore[reportArgumentType]
