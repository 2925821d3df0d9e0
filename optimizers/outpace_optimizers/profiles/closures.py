"""What an optimizer's step calls and is no part of it: the closure that it was given, which trains."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outpace_optimizers.profiles.hosts import Key, Node

STEPPING = "Optimizer.step#"
STEP_FRAME = "): step"
"""Ending of the frame of an optimizer's `step`; above it are the wrappers of torch."""
OPTIMIZERS = "torch/optim/"
"""Frames of torch's own optimizers: a line search calls the closure, and is no closure."""


class Closures:
    """A step that runs modules or the backward pass has a closure: the function, called from `step`, that does."""

    def __init__(self, events: Iterable[Mapping[str, Any]]) -> None:
        events = list(events)
        self._steps = any(event["name"].startswith(STEPPING) for event in events)
        self._training = sorted(event["ts"] for event in events if self._steps and _trains(event))

    def rows_around(self, node: Node) -> tuple[Key, ...] | None:
        """Of a closure that begins here: what the step is part of; None where none begins."""
        if not self._training or node.category != "python_function" or OPTIMIZERS in node.name:
            return None
        step = next((at for at, key in enumerate(node.rows) if key[0] == "region" and key[2].endswith(".step")), None)
        if step is None or not self._trains_within(node) or not _called_from_step(node):
            return None
        return node.rows[:step]

    def _trains_within(self, node: Node) -> bool:
        found = bisect_left(self._training, node.start)
        return found < len(self._training) and self._training[found] < node.end


def _trains(event: Mapping[str, Any]) -> bool:
    name = event["name"]
    return event["cat"] == "python_function" and ("run_backward" in name or name.startswith("nn.Module: "))


def _called_from_step(node: Node) -> bool:
    above = node.parent
    while above is not None and not above.name.startswith(STEPPING):
        if above.name.endswith(STEP_FRAME):
            return True
        above = above.parent
    return False
