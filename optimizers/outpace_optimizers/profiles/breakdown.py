"""torch-tb-profiler's breakdown of a step, behind one function: that package is no longer developed."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from typing import Any

from outpace_optimizers.profiles.hosts import Event
from outpace_optimizers.profiles.records import Portion

MISSING = "no breakdown by kind of work: it needs torch-tb-profiler; pip install 'outpace[profile]'"
CATEGORIES = {"cuda_runtime": "Runtime", "cuda_driver": "Runtime"}
"""Kineto's names of today in the words of that package."""
UNUSED = frozenset({"python_function", "cpu_instant_event", "ac2g", "fwdbwd", "overhead", "gpu_user_annotation"})
"""Most of a trace, and nothing that the breakdown reads."""
ROLES = {
    "Kernel": "kernel",
    "Memcpy": "memcpy",
    "Memset": "memset",
    "Communication": "communication",
    "Runtime": "runtime",
    "DataLoader": "data loader",
    "CpuOp": "CPU execution",
    "Other": "idle and other",
}


class BreakdownMissing(Exception):  # noqa: N818  # the message carries the error
    """No breakdown can be had; the message says why."""


def breakdown(document: dict[str, Any], events: Sequence[Event]) -> tuple[Portion, ...]:
    """Exclusive, in seconds per step, in that package's order of priority. Raises BreakdownMissing."""
    try:
        from torch_tb_profiler.profiler.data import RunProfileData  # pyright: ignore[reportMissingImports]
        from torch_tb_profiler.profiler.event_parser import ProfileRole  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise BreakdownMissing(MISSING) from error
    logging.getLogger("torch_tb_profiler").setLevel(logging.ERROR)
    rest = {name: value for name, value in document.items() if name != "traceEvents"}
    kept = [{**event, "cat": _category(event)} for event in events if event["cat"] not in UNUSED]
    warnings.simplefilter("ignore")  # of pandas, about how that package uses it
    try:
        read: Any = RunProfileData.from_json("rank0", "0", {**rest, "traceEvents": kept})
        costs = read.avg_costs.costs
    except Exception as error:  # a package that nobody mends any more, given traces newer than itself
        raise BreakdownMissing(
            f"no breakdown by kind of work: torch-tb-profiler cannot read this trace ({type(error).__name__}: {error})"
        ) from error
    return tuple(Portion(words, costs[ProfileRole[role]] * 1e-6) for role, words in ROLES.items())


def _category(event: Event) -> str:
    category = str(event["cat"])
    if str(event["name"]).startswith("enumerate(DataLoader)"):  # a label today, an operator when that was written
        return "cpu_op"
    return CATEGORIES.get(category, category)
