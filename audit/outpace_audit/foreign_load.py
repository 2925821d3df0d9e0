"""How busy others kept the processors while something was measured."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from outpace_audit.process_tree import descendants

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class LoadMeter:
    """Runs from its construction. `roots` are processes whose descendants (and this process) are not foreign."""

    def __init__(self, roots: Sequence[int]) -> None:
        self._roots = roots
        self._started = time.perf_counter()
        self._all, self._own = busy_seconds(), self._own_seconds()

    def foreign_share(self) -> float | None:
        """Processor time of others over the whole time of the processors that are ours to use, since the start; None
        where /proc hides it."""
        elapsed, everything = time.perf_counter() - self._started, busy_seconds()
        if everything is None or self._all is None or elapsed <= 0:
            return None
        own = self._own_seconds() - self._own
        return max(0.0, everything - self._all - own) / (elapsed * len(os.sched_getaffinity(0)))

    def _own_seconds(self) -> float:
        own = time.process_time()
        for pid in {pid for root in self._roots for pid in (root, *descendants(root))}:
            own += cpu_seconds(pid)
        return own


def busy_seconds() -> float | None:
    """User, nice, system, interrupt and steal time since boot of the processors that this process may use: what runs on
    the others of a host disturbs little, and may be another container's."""
    ours = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    try:
        rows = [line.split() for line in Path("/proc/stat").read_text().splitlines()]
        found = [sum(int(row[i]) for i in (1, 2, 3, 6, 7, 8)) for row in rows if row[0] in ours]
    except (OSError, IndexError, ValueError):
        return None
    return sum(found) * TICK_S if len(found) == len(ours) else None


def cpu_seconds(pid: int) -> float:
    """User and system time of a live process and of the children that it has waited for; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(int(field) for field in fields[11:15]) * TICK_S
    except (OSError, IndexError, ValueError):
        return 0.0
