"""Which workload is left out where not all of them fit the memory."""

from __future__ import annotations

import math
from collections.abc import Sequence

from outpace_audit.records import Workload


def without_largest(workloads: Sequence[Workload]) -> tuple[tuple[Workload, ...], Workload]:
    """By declared elements; of those that declare none, the last one."""
    elements = [sum(math.prod(arg.shape) for arg in one.args if arg.shape is not None) for one in workloads]
    largest = max(range(len(workloads)), key=lambda place: (elements[place], place))
    return (*workloads[:largest], *workloads[largest + 1 :]), workloads[largest]
