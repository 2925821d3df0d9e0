"""What operators of a trace took, by groups that a finding puts them into."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

from outpace_optimizers.profiles.findings import Recorded
from outpace_optimizers.profiles.hosts import Node

Group = TypeVar("Group", bound=Hashable)


def times_of(recorded: Recorded, groups: Mapping[Node, Group], *, backward: bool) -> dict[Group, float]:
    """Seconds per step of operators with all that they call, and with the `backward` steps that they caused: on the
    device, or where nothing ran on one, on the host."""
    if not recorded.activities:
        return host_times_of(recorded, groups, backward=backward)
    belonging = _Belonging(groups, backward)
    found: dict[Group, float] = defaultdict(float)
    for one in recorded.on_device("kernel", "gpu_memcpy", "memcpy", "gpu_memset", "memset"):
        if one.launch is not None and (group := belonging.of(one.launch)) is not None:
            found[group] += recorded.per_step(one.end - one.start)
    return found


def host_times_of(recorded: Recorded, groups: Mapping[Node, Group], *, backward: bool) -> dict[Group, float]:
    """The same of the host, whatever the device was doing meanwhile."""
    belonging = _Belonging(groups, backward)
    found: dict[Group, float] = defaultdict(float)
    for node in recorded.nodes():
        group = belonging.of(node)
        if group is not None and (node.parent is None or belonging.of(node.parent) != group):
            found[group] += recorded.per_step(node.end - node.start)
    return found


class _Belonging(Generic[Group]):
    def __init__(self, groups: Mapping[Node, Group], backward: bool) -> None:
        self._known: dict[Node, Group | None] = dict(groups)
        self._backward = backward

    def of(self, node: Node) -> Group | None:
        passed: list[Node] = []
        at: Node | None = node
        while at is not None and at not in self._known:
            passed.append(at)
            at = at.cause if self._backward and at.cause is not None else at.parent
        found = None if at is None else self._known[at]
        self._known.update(dict.fromkeys(passed, found))
        return found
