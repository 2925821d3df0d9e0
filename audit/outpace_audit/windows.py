"""Timed windows inside an arm: many calls on rotating, secretly changed inputs, between two of the judge's messages.

The clock that decides is the judge's, outside. What this side measures is a claim that has to agree with it, and is
read from the clocks that the code under test can see, on purpose.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from outpace_audit.calls import early_sample, synchronize
from outpace_audit.cotangents import draw_cotangents
from outpace_audit.errors import ArmError
from outpace_audit.inputs import InputMaker
from outpace_audit.perturbation import Perturbation, generator_seed, row_of
from outpace_audit.restoring import Restorer
from outpace_audit.subject import Result, Subject
from outpace_audit.tensors import Leaf, flatten
from outpace_audit.window_records import WATCHED, Recorder, recordable

GRAPH_WARMUP = 3
"""Calls on a side stream before capture; what torch.cuda.graphs documents."""


@dataclass(slots=True)
class _Graph:
    graph: torch.cuda.CUDAGraph
    results: list[Result]


class TimedWindows:
    """`sets` argument sets of one workload, and windows of calls over them."""

    def __init__(
        self,
        subject: Subject,
        maker: InputMaker,
        base_seed: int,
        sets: int,
        cotangents: Sequence[Sequence[Any]] | None,
        updated: Sequence[int] = (),
        fixed: Sequence[int] = (),
    ) -> None:
        """`updated`: the input tensors that each call has to find as they were drawn although calls write to them;
        `fixed`: those that hold what no call may find changed."""
        self._subject = subject
        self._sets = sets
        self._cotangents = None if cotangents is None else draw_cotangents(cotangents, base_seed, subject.device)
        subject.draw_parameters(base_seed)
        self._arguments = [subject.prepare(maker.make(base_seed + i), cotangents is not None) for i in range(sets)]
        self._restorer = Restorer(self._arguments, updated)
        self._moves = subject.device.type == "cpu"
        self._perturbation = Perturbation(self._arguments[0], base_seed, spreads=self._moves, fixed=fixed)
        self._slices: list[list[torch.Tensor]] = []
        self._originals: list[list[torch.Tensor]] = []
        self._place(base_seed)
        self._banks = self._perturbation.banks(base_seed, sets)
        self._rows = self._perturbation.rows(self._banks, sets)
        self._kept: dict[int, Result] = {}
        self._graphs: dict[bool, _Graph] = {}
        self._shapes: list[torch.Tensor] = []
        self._recorder = Recorder([], 0)
        self._window_seed = base_seed

    def warm(self, calls: int) -> None:
        for call in range(calls):
            self._restorer.before(call)
            self._perturb(call)
            result = self._call(call % self._sets)
            self._shapes = [shape_of(tensor) for tensor in self._recordable(result, call)]
        self._restorer.all()
        synchronize(self._subject.device)

    def capture(self) -> None:
        """Captures one pass over all sets, and the same pass without the calls, as CUDA graphs."""
        if self._subject.draws:
            raise ArmError("prepare", "raised", "a graph cannot set the generator's state before each call")
        stream = torch.cuda.current_stream()
        try:
            self._capture()
        except BaseException:
            torch.cuda.set_stream(stream)
            renew_generator()
            raise

    def _capture(self) -> None:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(GRAPH_WARMUP):
                self._call(0)
                self._restorer.all()
        torch.cuda.current_stream().wait_stream(side)
        for idle in (False, True):
            self._graphs[idle] = self._captured(self._nothing if idle else self._call)
        torch.cuda.synchronize()

    def _captured(self, call: Callable[[int], Result | None]) -> _Graph:
        graph = torch.cuda.CUDAGraph()
        results: list[Result] = []
        with torch.cuda.graph(graph):
            for k in range(self._sets):
                self._restorer.before_in_pass(k)
                self._perturb(k)
                result = call(k)
                if result is not None:
                    results.append(result)
            for bank in self._banks:
                bank.copy_(torch.roll(bank, -(bank.numel() // self._sets)))
        return _Graph(graph, results)

    def _place(self, seed: int) -> None:
        """The secret slices lie elsewhere from now on; what they covered so far is as it was drawn."""
        for slices, originals in zip(self._slices, self._originals, strict=True):
            for one, original in zip(slices, originals, strict=True):
                one.copy_(original)
        self._slices = [self._perturbation.slices(arguments, seed) for arguments in self._arguments]
        self._originals = [[one.clone() for one in slices] for slices in self._slices]

    def run(self, *, seed: int, calls: int, graph: bool, idle: bool) -> dict[str, Any]:
        """One window. `calls` counts calls, or replays of `sets` calls with `graph`. The last call's results stay, or
        those of all sets in the last replay. The early samples in the answer exist only once the work is done."""
        self._window_seed = seed
        if self._moves:
            self._place(seed)
        for bank, fresh in zip(self._banks, self._perturbation.banks(seed, self._sets), strict=True):
            bank.copy_(fresh)
        began = self._begin()
        if graph:
            self._replay(calls, idle)
            if not idle:
                self._kept = dict(enumerate(self._graphs[False].results))
        else:
            self._loop(calls, idle)
        seconds = self._end(began)
        ending = self._stand_ins() if idle else self.watched(max(self._kept))
        early = [sample_hex(tensor, seed) for tensor in ending]
        synchronize(self._subject.device)
        return {"seconds": seconds, "early": early}

    def forget(self) -> None:
        self._kept = {}

    def record(self, calls: int, seed: int) -> None:
        """Room for what the next window's calls leave behind."""
        if self._recorder.calls != calls:
            self._recorder = Recorder(self._shapes, calls)
        self._recorder.draw(seed)

    def recorded(self, call: int) -> list[torch.Tensor]:
        return self._recorder.recorded(call)

    def lead_in(self, calls: int, *, graph: bool) -> None:
        """Calls (or replays) that no clock sees; they leave all inputs as drawn."""
        self._restorer.all()
        if graph:
            self._replay(calls, idle=False)
        else:
            for call in range(calls):
                self._restorer.before(call)
                self._call(call % self._sets)
        self._restorer.all()
        synchronize(self._subject.device)

    def kept(self, call: int) -> Result:
        return self._kept[call]

    def updated(self, call: int) -> list[Leaf]:
        """The inputs that a kept call has updated, as it left them."""
        return self._restorer.updated(call % self._sets)

    def _loop(self, calls: int, idle: bool) -> None:
        record, shapes, restore = self._recorder.record, self._shapes, self._restorer.before
        if idle:
            for call in range(calls):
                restore(call)
                self._perturb(call)
                self._reseed(call)
                record(call, shapes)
            return
        result: Result | None = None
        for call in range(calls):
            restore(call)
            self._perturb(call)
            self._reseed(call)
            result = self._call(call % self._sets)
            record(call, self._recordable(result, call))
        if result is not None:
            self._kept[calls - 1] = result

    def _replay(self, replays: int, idle: bool) -> None:
        for _ in range(replays):
            self._graphs[idle].graph.replay()

    def _perturb(self, call: int) -> None:
        if self._banks:
            row = self._rows[row_of(call, self._sets) % len(self._rows)]
            with torch.no_grad():
                torch._foreach_copy_(  # pyright: ignore[reportPrivateUsage]  # one launch for all inputs
                    self._slices[call % self._sets], row
                )

    def _reseed(self, call: int) -> None:
        if self._subject.draws:
            self._subject.reseed(generator_seed(self._window_seed, call % self._sets, row_of(call, self._sets)))

    def _call(self, k: int) -> Result:
        return self._subject.run(self._arguments[k], self._cotangents)

    def _nothing(self, k: int) -> None:
        return None

    def _begin(self) -> Any:
        if self._subject.device.type != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def _end(self, began: Any) -> float:
        if self._subject.device.type != "cuda":
            return time.perf_counter() - began
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        event.synchronize()
        return began.elapsed_time(event) / 1e3

    def _stand_ins(self) -> list[torch.Tensor]:
        """As many tensors as a call's results that are watched: reading them costs a window of the harness the same."""
        inputs = [leaf.value for leaf in flatten(self._arguments[0]) if isinstance(leaf.value, torch.Tensor)]
        return list(itertools.islice(itertools.cycle(inputs), min(WATCHED, len(self._shapes))))

    def watched(self, call: int) -> list[torch.Tensor]:
        """What ends a window."""
        return self._recordable(self._kept[call], call)[:WATCHED]

    def _recordable(self, result: Result, call: int) -> list[torch.Tensor]:
        return recordable(result, self.updated(call))


def renew_generator() -> None:
    """After a capture that broke off. The device's generator still draws as within the graph, from a seed that nobody
    sets any more: inputs drawn for the next windows would be none that another process can make."""
    generator = torch.cuda.default_generators[torch.cuda.current_device()]
    generator.graphsafe_set_state(torch.Generator("cuda"))


def shape_of(tensor: torch.Tensor) -> torch.Tensor:
    """Its shape, type and device in one element of memory."""
    return torch.zeros((), dtype=tensor.dtype, device=tensor.device).expand(tensor.shape)


def sample_hex(tensor: torch.Tensor, seed: int) -> str:
    """Hex bytes of secret elements."""
    sample = early_sample(tensor, seed).contiguous().cpu()
    return bytes(sample.view(torch.uint8).tolist()).hex()
