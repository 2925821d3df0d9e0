"""Which workload is left out where not all of them fit the memory."""

from __future__ import annotations

import math
from collections.abc import Sequence

from outpace_audit.records import Workload

LESS = 0.8
"""Where the smallest takes more than this share of the largest (weights of one size in all), others fit no better, and
each try may take a minute."""


def helps_to_leave_out(workloads: Sequence[Workload]) -> bool:
    elements = list(map(_elements, workloads))
    return len(workloads) > 1 and min(elements) <= LESS * max(elements)


def without_largest(workloads: Sequence[Workload]) -> tuple[tuple[Workload, ...], Workload]:
    """By declared elements; of those that declare none, the last one."""
    elements = list(map(_elements, workloads))
    largest = max(range(len(workloads)), key=lambda place: (elements[place], place))
    return (*workloads[:largest], *workloads[largest + 1 :]), workloads[largest]


def _elements(workload: Workload) -> int:
    return sum(math.prod(arg.shape) for arg in workload.args if arg.shape is not None)
