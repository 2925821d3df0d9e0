"""What a trace shows beyond times of code: waits, copies, kernels, how the optimizer steps. Per step."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from outpace_optimizers.profiles.attribution import MICROSECONDS
from outpace_optimizers.profiles.devices import Activity
from outpace_optimizers.profiles.hosts import PROFILER, RUNTIME, Hosts, Key, Node
from outpace_optimizers.profiles.records import Copy, Portion, Wait

WAITS = re.compile(r"(cuda|cu|hip)((Stream|Device|Ctx|Event)Synchronize|Memcpy|MemcpyWithStream)(_ptsz|_ptds)?")
COMPILING = re.compile(
    r"torch/_dynamo/convert_frame\.py\(\d+\): _compile|triton/compiler/compiler\.py\(\d+\): compile"
    r"|triton/runtime/autotuner\.py\(\d+\): (_bench|benchmark)|torch/utils/cpp_extension\.py\(\d+\): _jit_compile"
    r"|torch/_inductor/runtime/triton_heuristics\.py\(\d+\): (precompile|benchmark_all_configs)"
)
"""Frames of what compiles the script's code, or tries ways to compile it, and not of what launches the result."""
ZEROING = ("aten::zero_", "aten::_foreach_zero_", "aten::fill_")
LOADERS = {"_SingleProcessDataLoaderIter": "single", "_MultiProcessingDataLoaderIter": "workers"}


@dataclass(frozen=True)
class Recorded:
    """The recorded steps: all that happened in [start, end], in µs."""

    hosts: Hosts
    activities: list[Activity]
    start: float
    end: float
    steps: int

    def nodes(self) -> Iterator[Node]:
        """Those that began within the steps; our own ones aside."""
        for thread in self.hosts.threads.values():
            for node in thread.nodes:
                if self.start <= node.start < self.end and PROFILER not in node.rows:
                    yield node

    @cached_property
    def around(self) -> frozenset[Key]:
        """Targets that were under way when the steps began, and still when they ended."""
        spanning = [n for n in self.hosts.main.nodes if n.start <= self.start and n.end >= self.end and n.rows]
        return frozenset(key for node in spanning for key in node.rows)

    def on_device(self, *categories: str) -> list[Activity]:
        return [one for one in self.activities if one.category in categories and self.start <= one.start < self.end]

    def per_step(self, microseconds: float) -> float:
        return microseconds * MICROSECONDS / self.steps


def words_of(key: Key) -> str:
    return key[2]


def innermost(rows: tuple[Key, ...]) -> str:
    return words_of(rows[-1]) if rows else ""


def steps_optimizer(rows: tuple[Key, ...]) -> bool:
    return bool(rows) and rows[-1][0] == "region" and rows[-1][2].endswith(".step")


def waits(recorded: Recorded) -> tuple[Wait, ...]:
    grouped: dict[tuple[str, str], list[float]] = defaultdict(list)
    for node in recorded.nodes():
        if node.category in RUNTIME and WAITS.fullmatch(node.name):
            grouped[node.op or node.name, innermost(node.rows)].append(node.end - node.start)
    found = [
        Wait(operation, where, len(times) / recorded.steps, recorded.per_step(sum(times)))
        for (operation, where), times in grouped.items()
    ]
    return tuple(sorted(found, key=lambda one: -one.seconds))


def compiling_s(recorded: Recorded) -> float:
    """Seconds of a step in which the script's code was compiled or tuned: that is no ordinary step."""
    total, until = 0.0, float("-inf")
    for node in sorted((one for one in recorded.nodes() if COMPILING.search(one.name)), key=lambda one: one.start):
        total += max(0.0, node.end - max(node.start, until))  # one calls another, and threads may do it at once
        until = max(until, node.end)
    return recorded.per_step(total)


def copies(recorded: Recorded) -> tuple[Copy, ...]:
    grouped: dict[tuple[str, str], list[Activity]] = defaultdict(list)
    for one in recorded.on_device("gpu_memcpy", "memcpy"):
        grouped[one.name.removeprefix("Memcpy "), innermost(one.rows)].append(one)
    found = [
        Copy(
            kind,
            where,
            len(group) / recorded.steps,
            recorded.per_step(sum(one.end - one.start for one in group)),
            sum(float((one.event.get("args") or {}).get("bytes", 0)) for one in group) / recorded.steps,
            recorded.per_step(sum(one.launch.end - one.launch.start for one in group if one.launch is not None)),
        )
        for (kind, where), group in grouped.items()
    ]
    return tuple(sorted(found, key=lambda one: -one.seconds))


def kernels(recorded: Recorded) -> tuple[Portion, ...]:
    """By name and by the code that launches them, the longest first."""
    grouped: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in recorded.on_device("kernel"):
        grouped[one.name, innermost(one.rows)].append(one.end - one.start)
    found = [
        Portion(name, recorded.per_step(sum(times)), len(times) / recorded.steps, where)
        for (name, where), times in grouped.items()
    ]
    return tuple(sorted(found, key=lambda one: -one.seconds))


def zeroing(recorded: Recorded) -> Portion:
    inside = [
        node
        for node in recorded.nodes()
        if node.op == node.name and node.name in ZEROING and node.rows and node.rows[-1][2].endswith(".zero_grad")
    ]
    seconds = recorded.per_step(sum(node.end - node.start for node in inside))
    return Portion("zero_grad", seconds, len(inside) / recorded.steps)


def optimizer_operators(recorded: Recorded) -> tuple[Portion, ...]:
    """Outermost operators of the optimizer's own step."""
    grouped: dict[str, list[float]] = defaultdict(list)
    for node in recorded.nodes():
        if steps_optimizer(node.rows) and node.op == node.name and node.category == "cpu_op":
            grouped[node.name].append(node.end - node.start)
    found = [
        Portion(name, recorded.per_step(sum(times)), len(times) / recorded.steps) for name, times in grouped.items()
    ]
    return tuple(sorted(found, key=lambda one: -one.seconds))


def loader(recorded: Recorded) -> str:
    for node in recorded.nodes():
        if node.name.startswith("enumerate(DataLoader)"):
            return next((kind for name, kind in LOADERS.items() if name in node.name), "")
    return ""
