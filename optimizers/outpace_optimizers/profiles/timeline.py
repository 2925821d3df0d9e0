"""One step as it went: what the host and each queue of the device were doing, by code.

The step shown is the one of median length. What is too short to be seen is left out, and what does the same twice in
succession is one stretch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from outpace_optimizers.profiles.attribution import MICROSECONDS, host_timeline
from outpace_optimizers.profiles.devices import Activity
from outpace_optimizers.profiles.findings import Recorded, words_of
from outpace_optimizers.profiles.hosts import PROFILER, Event, Key, ThreadId, thread_of
from outpace_optimizers.profiles.records import Lane, Stretch, Timeline

DEPTH = 4
"""Targets within targets that are shown."""
FINEST = 1 / 600
"""Of the step: a stretch below is not visible."""


def timeline(recorded: Recorded, steps: Sequence[Event]) -> Timeline | None:
    """None for a trace that marks no steps."""
    if not steps:
        return None
    step = sorted(steps, key=lambda event: event["dur"])[(len(steps) - 1) // 2]
    start, end = float(step["ts"]), float(step["ts"] + step["dur"])
    lanes = [*_host(recorded, start, end), *_device(recorded.activities, start, end)]
    return Timeline((end - start) * MICROSECONDS, tuple(lane for lane in lanes if lane.stretches))


def _host(recorded: Recorded, start: float, end: float) -> Iterator[Lane]:
    """One lane for each level of targets within targets. Those around all steps are left out."""
    levels: list[list[tuple[float, float, str, bool]]] = [[] for _ in range(DEPTH)]
    for first, last, node in host_timeline(recorded.hosts, start, end):
        if node is None or PROFILER in node.rows:
            continue
        inner = [key for key in node.rows if key not in recorded.around]
        for level, key in zip(levels, inner, strict=False):
            level.append((first, last, words_of(key), node.backward))
    for depth, level in enumerate(levels):
        yield Lane("host" if depth == 0 else "", _merged(level, start, end))


def _device(activities: Iterable[Activity], start: float, end: float) -> Iterator[Lane]:
    """One lane for each queue."""
    queues: dict[ThreadId, list[tuple[float, float, str, bool]]] = defaultdict(list)
    for one in activities:
        if one.end > start and one.start < end:
            backward = one.launch is not None and one.launch.backward
            queues[thread_of(one.event)].append((one.start, one.end, _words(one), backward))
    several = len({device for device, _ in queues}) > 1
    for device, queue in sorted(queues, key=lambda queue: queues[queue][0][0]):
        name = f"device {device}, queue {queue}" if several else f"device {queue}"
        yield Lane(name, _merged(queues[device, queue], start, end))


def _words(one: Activity) -> str:
    rows: tuple[Key, ...] = one.rows
    return words_of(rows[-1]) if rows else one.name


def _merged(pieces: Iterable[tuple[float, float, str, bool]], start: float, end: float) -> tuple[Stretch, ...]:
    finest = (end - start) * FINEST
    found: list[tuple[float, float, str, bool]] = []
    for first, last, name, backward in pieces:
        if found and found[-1][2:] == (name, backward) and first - found[-1][1] < finest:
            found[-1] = (found[-1][0], max(last, found[-1][1]), name, backward)
        else:
            found.append((first, last, name, backward))
    clipped = [(max(first, start), min(last, end), name, backward) for first, last, name, backward in found]
    return tuple(
        Stretch((first - start) * MICROSECONDS, (last - first) * MICROSECONDS, name, backward)
        for first, last, name, backward in clipped
        if last - first >= finest
    )
