"""Times one operation again and again, on the CPU or on a GPU."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

REPEATS = 9
SAMPLE_S = {"cpu": 0.02, "cuda": 0.01}
"""Of one repeat: far above the clock's resolution, and with nine repeats short enough to be run everywhere."""
MOST_CALLS = 100_000


@dataclass(frozen=True, slots=True)
class Repeats:
    """Seconds of one call, by repeat."""

    seconds: tuple[float, ...]

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def repeated(run: Callable[[], object], device: torch.device) -> Repeats:
    """Warm, then REPEATS times as many calls as fill SAMPLE_S."""
    run()
    wanted, calls = SAMPLE_S[device.type], 1
    while (took := sample(run, calls, device)) < wanted and calls < MOST_CALLS:
        calls = min(MOST_CALLS, max(2 * calls, round(calls * wanted / max(took, 1e-9))))
    return Repeats(tuple(sample(run, calls, device) / calls for _ in range(REPEATS)))


def sample(run: Callable[[], object], calls: int, device: torch.device) -> float:
    """Seconds of `calls` calls in a row."""
    if device.type != "cuda":
        started = time.perf_counter()
        for _ in range(calls):
            run()
        return time.perf_counter() - started
    began, ended = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize()
    began.record()
    for _ in range(calls):
        run()
    ended.record()
    ended.synchronize()
    return began.elapsed_time(ended) / 1e3


def as_graph(run: Callable[[], object], calls: int) -> Callable[[], object]:
    """`calls` calls as one CUDA graph, so that the host's launches do not count."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(calls):
            run()
    return graph.replay
