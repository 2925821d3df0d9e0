"""What the accelerator was doing, and which event of the host had asked for it."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from outpace_optimizers.profiles.hosts import ACCUMULATION, RUNTIME, Event, Key, Node, Thread, ThreadId

DEVICE = frozenset({"kernel", "gpu_memcpy", "gpu_memset", "memcpy", "memset"})
COMMUNICATION = "nccl"
NCCL = re.compile(r"nccl(?:Dev)?Kernel_(?P<operation>[A-Za-z]+)")
TRITON_LAUNCHERS = ("triton/runtime/jit.py", "triton/runtime/autotuner.py", "triton/backends/")
LEVELS = {"kernel": 0, "gpu_memcpy": 1, "memcpy": 1, "gpu_memset": 2, "memset": 2}
"""Who is charged while several run: computing, then copies; communication only where nothing hides it."""


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """A kernel, a copy or a fill. `launch` is the host's call; None where the trace does not have it."""

    name: str
    category: str
    start: float
    end: float
    launch: Node | None
    event: Event

    @property
    def communicates(self) -> bool:
        return self.name.startswith(COMMUNICATION)

    @property
    def level(self) -> int:
        return 3 if self.communicates else LEVELS[self.category]

    @property
    def rows(self) -> tuple[Key, ...]:
        """Targets, the innermost last: a hand-written Triton kernel is one by its name, as is what NCCL does."""
        if self.launch is None:
            return ()
        rows = self.launch.rows
        if self.communicates:  # DistributedDataParallel's is launched where a gradient is whole
            return (*(row for row in rows if row != ACCUMULATION), ("region", "", _operation(self.name)))
        if self.category == "kernel" and _from_triton(self.launch) and not any("compiled" in key[2] for key in rows):
            return (*rows, ("region", "", f"Triton kernel {self.name}"))
        return rows


def _operation(kernel: str) -> str:
    """`NCCL AllReduce` of `ncclDevKernel_AllReduce_Sum_bf16_RING_LL(...)`."""
    found = NCCL.match(kernel)
    return f"NCCL {found['operation']}" if found else "NCCL"


def activities(events: Iterable[Event], threads: Mapping[ThreadId, Thread]) -> list[Activity]:
    """All of the trace, by start."""
    launches: dict[int, Node] = {}
    for thread in threads.values():
        for node in thread.nodes:
            if node.category in RUNTIME and (number := (node.event.get("args") or {}).get("correlation")) is not None:
                launches[number] = node
    found = [
        Activity(
            str(event["name"]),
            event["cat"],
            event["ts"],
            event["ts"] + event["dur"],
            launches.get((event.get("args") or {}).get("correlation", -1)),
            event,
        )
        for event in events
        if event.get("cat") in DEVICE
    ]
    return sorted(found, key=lambda one: one.start)


@dataclass(frozen=True, slots=True)
class Busy:
    """A stretch during which the same activities ran; those that are charged for it."""

    start: float
    end: float
    running: tuple[Activity, ...]


def busy_stretches(found: list[Activity], start: float, end: float) -> list[Busy]:
    """Within [start, end], disjoint and in order."""
    stretches: list[Busy] = []
    running: list[tuple[float, int, Activity]] = []
    at = start

    def advance(until: float) -> None:
        nonlocal at
        while running and at < until:
            stop = min(running[0][0], until)
            if stop > at:
                lowest = min(one.level for _, _, one in running)
                stretches.append(Busy(at, stop, tuple(one for _, _, one in running if one.level == lowest)))
                at = stop
            while running and running[0][0] <= at:
                heapq.heappop(running)
        at = max(at, until)

    for number, one in enumerate(found):
        if one.end <= start or one.start >= end:
            continue
        advance(max(one.start, start))
        heapq.heappush(running, (min(one.end, end), number, one))
    advance(end)
    return stretches


def _from_triton(launch: Node) -> bool:
    node: Node | None = launch
    while node is not None:
        if node.category == "cpu_op":
            return False
        if any(place in node.name for place in TRITON_LAUNCHERS):
            return True
        node = node.parent
    return False
