"""What each thread of the host was doing: a trace's events as trees, and which code of the user's each belongs to."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from outpace_optimizers.profiles.closures import Closures
from outpace_optimizers.profiles.code_names import MODULE, CodeNames
from outpace_optimizers.profiles.records import Kind

Event: TypeAlias = Mapping[str, Any]
Key: TypeAlias = tuple[Kind, str, str]
"""Of a target: kind, path, name."""
ThreadId: TypeAlias = tuple[object, object]
"""Its process, and its number there."""

RUNTIME = frozenset(
    {"runtime"} | {f"{device}_{layer}" for device in ("cuda", "xpu", "privateuse1") for layer in ("runtime", "driver")}
)
HOST = RUNTIME | {"cpu_op", "operator", "user_annotation", "python_function"}
WITHIN = {"user_annotation": 0, "python_function": 0, "cpu_op": 1, "operator": 1}
"""What holds what, of events that begin and end at once: some traces count whole microseconds."""
STEP = "ProfilerStep#"
BACKWARD = "autograd::engine::evaluate_function: "
CHECKPOINT = "torch/utils/checkpoint.py("
"""In frames that call what is not kept for the backward pass, then and again in it."""
COMPILED = re.compile(r"Torch-Compiled Region(: \S+)?")
"""Before torch 2.5 without a number."""
OWN_FRAMES = ("outpace_audit/profiling/", "torch/profiler/")
HANDING_ON = "): handing_on"
"""Ending of our frames that run the script's code: what they hold is the script's."""
CLOCK = 1.0
"""µs within which two ends are the same."""
PROFILER: Key = ("region", "", "profiler")
ACCUMULATION: Key = ("region", "", "gradient accumulation")


def thread_of(event: Event) -> ThreadId:
    return event.get("pid"), event.get("tid")


class Node:
    """One event of a host's thread. Times in µs; `rows` are the targets it is part of, the outermost first."""

    __slots__ = ("backward", "category", "cause", "end", "event", "name", "op", "parent", "rows", "start")

    def __init__(self, event: Event, parent: Node | None) -> None:
        self.event = event
        self.name: str = str(event["name"])
        self.category: str = event["cat"]
        self.start: float = event["ts"]
        self.end: float = event["ts"] + event["dur"]
        self.parent = parent
        self.rows: tuple[Key, ...] = parent.rows if parent is not None else ()
        self.op: str = parent.op if parent is not None else ""
        """The outermost operator since the last of `rows` began."""
        self.backward: bool = parent.backward if parent is not None else False
        self.cause: Node | None = None
        """Of a step of the backward pass: the forward operator that caused it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time during which `node` was the innermost event of its thread."""

    start: float
    end: float
    node: Node


@dataclass(frozen=True, slots=True)
class Thread:
    nodes: list[Node]
    segments: list[Segment]


class Hosts:
    """All threads of one trace. `main` is the one that makes the steps."""

    def __init__(self, events: Iterable[Event], names: CodeNames, main: ThreadId) -> None:
        by_thread: dict[ThreadId, list[Event]] = defaultdict(list)
        for event in events:
            if event.get("cat") in HOST and not event["name"].startswith(STEP):
                by_thread[thread_of(event)].append(event)
        self._names = names
        self._keys: dict[str, Key | None] = {}
        self._lines: dict[Key, int] = {}
        self._own_classes = self._classes_of_the_project(by_thread)
        self._forward: dict[tuple[bool, int], Node] = {}
        """Operators by whether they ran on the main thread and their sequence number; of several the last."""
        self._main_forward_id = _most_common_forward_thread(by_thread)
        self._closures = Closures(event for events in by_thread.values() for event in events)
        self.main = self._thread(by_thread.pop(main, []), is_main=True)
        self._asking = [segment for segment in self.main.segments if waits_for_backward(segment.node)]
        self._asking_from = [segment.start for segment in self._asking]
        self.threads: dict[ThreadId, Thread] = {main: self.main}
        for thread, own in by_thread.items():
            self.threads[thread] = self._thread(own, is_main=False)

    def _thread(self, events: list[Event], is_main: bool) -> Thread:
        """An event that outlasts the one it began in is cut off with it."""
        events.sort(key=lambda event: (event["ts"], -event["dur"], WITHIN.get(event["cat"], 2)))
        stopped = _last_end(events)
        nodes: list[Node] = []
        segments: list[Segment] = []
        open_nodes: list[Node] = []
        reached = float("-inf")

        def advance(until: float) -> None:
            nonlocal reached
            while open_nodes and open_nodes[-1].end <= until:
                top = open_nodes.pop()
                if top.end > reached:
                    segments.append(Segment(reached, top.end, top))
                    reached = top.end
            if open_nodes and until > reached and until != float("inf"):
                segments.append(Segment(reached, until, open_nodes[-1]))
            reached = max(reached, until)

        for event in events:
            advance(event["ts"])
            depth = len(open_nodes)
            if event["cat"] == "user_annotation":  # begun within the call that begins it, which ends before
                end = event["ts"] + event["dur"]
                while depth and open_nodes[depth - 1].end < min(end, stopped):
                    depth -= 1
            parent = open_nodes[depth - 1] if depth else None
            node = Node(event, parent)
            if parent is not None and node.end > parent.end:
                node.end = parent.end
            self._place(node, is_main)
            nodes.append(node)
            open_nodes.insert(depth, node)
        advance(float("inf"))
        return Thread(nodes, segments)

    # --- which code a node belongs to ---------------------------------------------------------------------------

    def _place(self, node: Node, is_main: bool) -> None:
        if node.rows[-1:] == (PROFILER,):
            return
        if node.name.startswith(BACKWARD):
            self._place_backward(node, is_main)
            return
        key = self._key(node)
        if (outer := self._closures.rows_around(node)) is not None:
            node.rows, node.op = outer, ""
        if node.backward and (asked := _rows_of_recomputation(node)) is not None:
            node.rows, node.op = asked, ""
        if key == PROFILER:
            node.rows, node.op = (PROFILER,), ""
        elif key is not None:
            outer = tuple(row for row in node.rows if row != ACCUMULATION)  # a hook that runs once a gradient is whole
            node.rows, node.op = ((*outer, key) if outer[-1:] != (key,) else outer), ""
        elif not node.op and node.category != "python_function":
            node.op = node.name
        arguments = node.event.get("args") or {}
        number = arguments.get("Sequence number", -1)
        if number >= 0 and not arguments.get("Fwd thread id"):
            self._forward[is_main, number] = node

    def _place_backward(self, node: Node, is_main: bool) -> None:
        """A step of the backward pass belongs to the forward operator that caused it, and to whom it ran for."""
        arguments = node.event.get("args") or {}
        on_main = is_main if (thread := arguments.get("Fwd thread id")) is None else thread == self._main_forward_id
        cause = self._forward.get((on_main, arguments.get("Sequence number", -1)))
        node.backward, node.cause = True, cause
        node.op = node.name.removeprefix(BACKWARD)
        if not is_main and node.parent is None:
            node.rows = self._asked_by(node.start)
        if cause is not None:
            outer = tuple(key for key in node.rows if key not in cause.rows)
            node.rows = (*outer, *cause.rows)
        elif node.op == "torch::autograd::AccumulateGrad":
            node.rows = (*node.rows, ACCUMULATION)

    def _asked_by(self, at: float) -> tuple[Key, ...]:
        """What waits on the main thread for a backward pass that another thread runs."""
        found = bisect_right(self._asking_from, at) - 1
        return self._asking[found].node.rows if found >= 0 and self._asking[found].end > at else ()

    def _key(self, node: Node) -> Key | None:
        if node.category == "python_function":
            if node.name not in self._keys:
                self._keys[node.name] = self._python_key(node.name)
            return self._keys[node.name]
        if node.category in RUNTIME:
            return ("region", "", "CUDA graph") if "GraphLaunch" in node.name else None
        return _label_key(node)

    def _python_key(self, name: str) -> Key | None:
        if name.startswith(OWN_FRAMES) or any(f"/{own}" in name for own in OWN_FRAMES):
            return None if name.endswith(HANDING_ON) else PROFILER
        if (found := MODULE.fullmatch(name)) is not None:
            return self._own_classes.get(found["name"], ("module", "", found["name"]))
        function = self._names.function(name)
        if function is None:
            return None
        key: Key = ("function", function.path, function.name)
        self._lines[key] = function.line
        return key

    def line_of(self, key: Key) -> int | None:
        return self._lines.get(key)

    def _classes_of_the_project(self, by_thread: Mapping[ThreadId, Sequence[Event]]) -> dict[str, Key]:
        """A module of the project's is its `forward`: one target, not two."""
        frames = {e["name"] for events in by_thread.values() for e in events if e["cat"] == "python_function"}
        found: dict[str, Key] = {}
        for frame in sorted(frames):
            function = self._names.function(frame)
            if function is not None and function.name.endswith(".forward"):
                name = function.name.removesuffix(".forward").rpartition(".")[2]
                found.setdefault(name, ("function", function.path, function.name))
        return found


def waits_for_backward(node: Node) -> bool:
    """Whether this may be all that is seen of a thread that has asked for a backward pass: without stacks, a label."""
    return "run_backward" in node.name or node.category == "user_annotation"


def _rows_of_recomputation(node: Node) -> tuple[Key, ...] | None:
    """Of a frame that begins it: of who called the checkpoint, and not of the code whose backward pass comes first and
    needs it. None for other nodes."""
    if CHECKPOINT not in node.name:
        return None
    step = node.parent
    while step is not None and not step.name.startswith(BACKWARD):
        if CHECKPOINT in step.name:
            return None
        step = step.parent
    cause = None if step is None else step.cause
    forward = cause
    while forward is not None and CHECKPOINT not in forward.name:
        forward = forward.parent
    if step is None or cause is None or forward is None:
        return None
    return (*(key for key in step.rows if key not in cause.rows), *forward.rows)


def _last_end(events: Iterable[Event]) -> float:
    """When the recording of calls stopped: it ended those under way, but not the annotations that they had begun."""
    ends = (event["ts"] + event["dur"] for event in events if event["cat"] == "python_function")
    return max(ends, default=math.inf) - CLOCK


def _label_key(node: Node) -> Key | None:
    name = node.name
    if name.startswith(("Optimizer.step#", "Optimizer.zero_grad#")):
        return ("region", "", name.partition("#")[2])
    if name.startswith("enumerate(DataLoader)"):
        return ("region", "", "DataLoader")
    if (found := COMPILED.match(name)) is not None:
        return ("region", "", f"compiled region {(found[1] or '').removeprefix(': ')}".rstrip())
    if node.category != "user_annotation" or name.startswith("##") or ":" in name.partition(" ")[0]:
        return None
    return ("region", "", name)


def _most_common_forward_thread(by_thread: Mapping[ThreadId, Sequence[Event]]) -> int:
    """Kineto numbers threads its own way: most of the backward pass comes from the main one. What gathers gradients has
    none."""
    numbers = Counter(
        number
        for events in by_thread.values()
        for event in events
        if event["name"].startswith(BACKWARD) and (number := (event.get("args") or {}).get("Fwd thread id"))
    )
    return numbers.most_common(1)[0][0] if numbers else 0
