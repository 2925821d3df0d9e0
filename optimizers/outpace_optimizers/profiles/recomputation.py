"""Activation checkpointing: forward operators that run again inside the backward pass, to save memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from outpace_optimizers.profiles.findings import Recorded, innermost
from outpace_optimizers.profiles.hosts import CHECKPOINT, Node
from outpace_optimizers.profiles.operator_time import times_of
from outpace_optimizers.profiles.records import Recomputation

BYTES = {
    "float": 4, "double": 8, "c10::BFloat16": 2, "c10::Half": 2, "long int": 8, "int": 4, "bool": 1,
    "unsigned char": 1,
}  # fmt: skip
"""By how a trace names the types of tensors; what is not among them is no tensor."""
VIEWS = frozenset(
    f"aten::{name}"
    for name in (
        "view", "_unsafe_view", "reshape", "transpose", "t", "permute", "expand", "split", "chunk", "slice", "select",
        "squeeze", "unsqueeze", "unbind", "narrow", "detach", "alias", "as_strided", "unflatten", "flatten",
    )
)  # fmt: skip


def recomputation(recorded: Recorded) -> Recomputation | None:
    """None where nothing is recomputed. A gradient of a gradient runs forward operators in the backward pass, too."""
    if not any(CHECKPOINT in node.name for node in recorded.hosts.main.nodes):
        return None
    again = list(_outermost(recorded))
    if not again:
        return None
    seconds = times_of(recorded, dict.fromkeys(again, "recomputed"), backward=False).get("recomputed", 0.0)
    by_code: dict[str, float] = {}
    for node in again:
        where = innermost(node.rows)
        by_code[where] = by_code.get(where, 0.0) + node.end - node.start
    kept = sum(_input_bytes(node) for node in again if node.name not in VIEWS)
    where = max(by_code, key=lambda name: by_code[name])
    return Recomputation(where, len(again) / recorded.steps, seconds, kept / recorded.steps, _host_s(recorded))


def _host_s(recorded: Recorded) -> float:
    """Of what is called in the backward pass by the checkpoints: operators, and the Python around them."""
    total, until = 0.0, -math.inf
    for node in sorted(recorded.nodes(), key=lambda one: one.start):
        if node.backward and CHECKPOINT in node.name and node.start >= until:
            total, until = total + node.end - node.start, node.end
    return recorded.per_step(total)


def _outermost(recorded: Recorded) -> Iterator[Node]:
    """Operators that record a graph of their own although they run in the backward pass."""
    for node in recorded.nodes():
        if _records_graph(node) and not (node.parent is not None and _records_graph(node.parent)):
            yield node


def _records_graph(node: Node) -> bool:
    arguments = node.event.get("args") or {}
    number = arguments.get("Sequence number", -1)
    return node.backward and node.category == "cpu_op" and number >= 0 and not arguments.get("Fwd thread id")


def _input_bytes(node: Node) -> float:
    """Of all its tensors: about what the backward pass would have to be kept for it."""
    arguments = node.event.get("args") or {}
    dims: Sequence[Any] = arguments.get("Input Dims") or ()
    types: Sequence[str] = arguments.get("Input type") or ()
    return sum(
        math.prod(shape) * BYTES.get(kind, 0)
        for shape, kind in zip(dims, types, strict=False)
        if shape and all(isinstance(size, int) for size in shape)
    )
