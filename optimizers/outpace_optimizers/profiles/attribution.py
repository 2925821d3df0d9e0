"""Gives every instant of the recorded steps to the code that it was spent for.

While the accelerator works, to the code that launched what runs; while it does not, to what the host is doing. So the
parts add up to the steps' time, and what belongs to nobody is a part of its own.

Recording an event takes the host time of its own, which makes code of many small calls look dearer than it is. What a
step takes longer under the profiler than without it is taken off again, the same for each operator of the main thread,
less for each call of Python's, and never more than a part of what its code took. What the profiler does between two
steps is no time of the step.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from outpace_optimizers.profiles.devices import Activity, Busy, busy_stretches
from outpace_optimizers.profiles.hosts import (
    PROFILER,
    Hosts,
    Key,
    Node,
    Segment,
    Thread,
    waits_for_backward,
)

MICROSECONDS = 1e-6
MOST_PER_OPERATOR_S = 3e-6
"""What recording one takes at most: a larger excess has other causes, such as other work on the machine."""
CALL = 0.25
"""Of what it takes to record an operator with its shapes, that a call of Python's takes: 0.10 to 0.17 µs, and 0.43 to
0.77 µs, were measured."""
MOST_OF_CODE = 0.9
"""Of what code takes, that can be its recording: an empty function takes ten times as long under the profiler."""
PYTHON = "Python"
"""Time in no operator."""


@dataclass(slots=True)
class Sum:
    """Of one target, in seconds over all steps."""

    inclusive: float = 0.0
    backward: float = 0.0
    own: float = 0.0
    host: float = 0.0
    device: float = 0.0
    operators: dict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))


@dataclass(slots=True)
class Attribution:
    sums: dict[Key, Sum] = field(default_factory=lambda: defaultdict[Key, Sum](Sum))
    nobody: dict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    """Seconds that belong to no target, by what is known of them."""

    @property
    def total_s(self) -> float:
        return sum(one.own for one in self.sums.values()) + sum(self.nobody.values())

    def charge(self, rows: tuple[Key, ...], operator: str, backward: bool, seconds: float) -> None:
        if not rows:
            self.nobody[operator] += seconds
            return
        for key in set(rows):
            found = self.sums[key]
            found.inclusive += seconds
            found.backward += seconds if backward else 0.0
        innermost = self.sums[rows[-1]]
        innermost.own += seconds
        innermost.operators[operator or PYTHON] += seconds


@dataclass(slots=True)
class _Charges:
    """What each piece of code took, and how much was recorded meanwhile, counted in operators."""

    seconds: dict[tuple[tuple[Key, ...], str, bool], float] = field(default_factory=lambda: defaultdict(float))
    recorded: dict[tuple[tuple[Key, ...], str, bool], float] = field(default_factory=lambda: defaultdict(float))

    def add(self, rows: tuple[Key, ...], operator: str, backward: bool, seconds: float, recorded: float = 0.0) -> None:
        if rows[-1:] == (PROFILER,):
            return
        self.seconds[rows, operator, backward] += seconds
        self.recorded[rows, operator, backward] += recorded

    def without(self, per_operator_s: float) -> Attribution:
        result = Attribution()
        for charge, seconds in self.seconds.items():
            recording = min(self.recorded[charge] * per_operator_s, MOST_OF_CODE * seconds)
            result.charge(*charge, seconds - recording)
        return result


def attribute(hosts: Hosts, found: list[Activity], start: float, end: float, excess_s: float = 0.0) -> Attribution:
    """Over [start, end] in µs; `excess_s` is what recording has added to that."""
    recorded = sum(_recorded(node) for node in hosts.main.nodes if start <= node.start < end)
    charges = _Charges()
    on_device: dict[tuple[Key, ...], float] = defaultdict(float)
    at = start
    host = list(host_timeline(hosts, start, end))
    index = 0
    for busy in [*busy_stretches(found, start, end), Busy(end, end, ())]:
        while index < len(host) and host[index][1] <= at:
            index += 1
        _charge_host(charges, host, index, (at, busy.start))
        for one in busy.running:
            seconds = (busy.end - busy.start) * MICROSECONDS / len(busy.running)
            launch = one.launch
            if launch is None:
                charges.add((), "on the device, launched before the recording", False, seconds)
            else:
                charges.add(one.rows, launch.op or one.name, launch.backward, seconds)
                on_device[one.rows] += seconds
        at = busy.end
    result = charges.without(min(excess_s / recorded, MOST_PER_OPERATOR_S) if recorded else 0.0)
    on_host: dict[tuple[Key, ...], float] = defaultdict(float)
    for first, last, node in host:
        if node is not None and node.rows[-1:] != (PROFILER,):
            on_host[node.rows] += (last - first) * MICROSECONDS
    for rows, seconds in on_device.items():
        for key in set(rows):
            result.sums[key].device += seconds
    for rows, seconds in on_host.items():
        for key in set(rows):
            result.sums[key].host += seconds
    return result


def _charge_host(
    charges: _Charges, host: list[tuple[float, float, Node | None]], index: int, span: tuple[float, float]
) -> None:
    start, end = span
    while index < len(host) and host[index][0] < end:
        first, last, node = host[index]
        seconds = (min(last, end) - max(first, start)) * MICROSECONDS
        if seconds > 0 and node is None:
            charges.add((), "nothing recorded on the host", False, seconds)
        elif seconds > 0 and node is not None:
            operator = node.op if node.rows else node.op or node.name
            begins = first == node.start >= start
            charges.add(node.rows, operator, node.backward, seconds, _recorded(node) if begins else 0.0)
        index += 1


def _recorded(node: Node) -> float:
    return CALL if node.category == "python_function" else 1.0


def host_timeline(hosts: Hosts, start: float, end: float) -> Iterator[tuple[float, float, Node | None]]:
    """The main thread's stretches, those of a backward thread where the main one waits for it; None for gaps."""
    helpers = _helpers(hosts)
    for first, last, node in _with_gaps(hosts.main.segments, start, end):
        if node is not None and not waits_for_backward(node):
            yield first, last, node
            continue
        at = first
        for segment in helpers.within(first, last):
            if segment.start > at:
                yield at, segment.start, node
            yield max(segment.start, at), min(segment.end, last), segment.node
            at = min(segment.end, last)
        if at < last:
            yield at, last, node


def _with_gaps(segments: list[Segment], start: float, end: float) -> Iterator[tuple[float, float, Node | None]]:
    at = start
    for segment in segments:
        if segment.end <= start or segment.start >= end:
            continue
        if segment.start > at:
            yield at, segment.start, None
        yield max(segment.start, at), min(segment.end, end), segment.node
        at = min(segment.end, end)
    if at < end:
        yield at, end, None


class _Helpers:
    """Asked in the order of time."""

    def __init__(self, segments: list[Segment]) -> None:
        self._segments = segments
        self._next = 0

    def within(self, start: float, end: float) -> Iterator[Segment]:
        while self._next < len(self._segments) and self._segments[self._next].end <= start:
            self._next += 1
        index = self._next
        while index < len(self._segments) and self._segments[index].start < end:
            yield self._segments[index]
            index += 1


def _helpers(hosts: Hosts) -> _Helpers:
    """Of the threads of the backward pass the busiest."""
    others = [thread for thread in hosts.threads.values() if thread is not hosts.main and _runs_backward(thread)]
    busiest = max(others, key=lambda thread: sum(s.end - s.start for s in thread.segments), default=Thread([], []))
    return _Helpers(busiest.segments)


def _runs_backward(thread: Thread) -> bool:
    return any(node.backward for node in thread.nodes)
