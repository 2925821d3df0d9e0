"""What a command and all that it starts take of the machine: every process that descends from it, sampled over time."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EVERY_S = 5.0
ROLES = {
    "outpace_optimizers.model.helper": "model process",
    "outpace_optimizers.engine.worker": "worker",
    "outpace_optimizers.engine": "engine",
    "outpace_audit.judge": "judge",
    "outpace_audit.service": "judge",
    "outpace_audit.zygote": "zygote and arms",
    "outpace_server": "command",
}
"""By what stands in a command line, the first that does."""
LONG_LIVED = ("command", "engine", "worker", "model process", "judge")
"""Each of these is one process for hours, so that its memory tells of leaks; arms come and go."""
PAGE = os.sysconf("SC_PAGE_SIZE")

Process = tuple[int, int]
"""Its number, and when it began, in ticks since the machine did: numbers are given again."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One process at one moment. `rss`: bytes of it that are in memory."""

    process: Process
    parent: int
    role: str
    rss: int


@dataclass
class Watch:
    """Use as a context around the life of process `root`. `files` counts what lies in the folders that are watched."""

    root: int
    folders: Mapping[str, Path]
    samples: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    known: dict[Process, str] = field(default_factory=dict[Process, str])
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._sampling, daemon=True)
        self._begun = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sampling(self) -> None:
        while True:
            self.samples.append(self._sample())
            if self._ended.wait(EVERY_S):
                return

    def _sample(self) -> dict[str, Any]:
        found = self._ours(processes())
        rss: dict[str, int] = defaultdict(int)
        for one in found:
            self.known[one.process] = one.role
            rss[one.role] += one.rss
        counts = {name: sum(1 for _ in folder.rglob("*")) for name, folder in self.folders.items()}
        at = round(time.monotonic() - self._begun, 1)
        return {"at_s": at, "processes": len(found), "rss": dict(rss), "files": counts}

    def _ours(self, every: Sequence[Seen]) -> list[Seen]:
        """Those that were known before count with their children, whoever has adopted them since."""
        ours = {one.process[0]: one for one in every if one.process in self.known or one.process[0] == self.root}
        grown = True
        while grown:
            more = [one for one in every if one.parent in ours and one.process[0] not in ours]
            ours |= {one.process[0]: one for one in more}
            grown = bool(more)
        return list(ours.values())

    def left(self) -> list[str]:
        """Roles of what still runs."""
        return sorted(one.role for one in self._ours(processes()))

    def growth(self) -> dict[str, dict[str, float]]:
        """Of each process that lives long: megabytes in the second quarter of its time, and in the last."""
        found: dict[str, dict[str, float]] = {}
        for role in LONG_LIVED:
            series = [sample["rss"][role] / 1e6 for sample in self.samples if role in sample["rss"]]
            if len(series) >= 8:
                quarter = len(series) // 4
                early, late = series[quarter : 2 * quarter], series[-quarter:]
                found[role] = {
                    "early_mb": round(statistics.median(early), 1),
                    "late_mb": round(statistics.median(late), 1),
                }
        return found


def processes() -> list[Seen]:
    """All of the machine that can be read."""
    return [one for path in Path("/proc").glob("[0-9]*") if (one := _seen(int(path.name))) is not None]


def _seen(number: int) -> Seen | None:
    """None for one that has ended, a zombie too."""
    try:
        status = Path(f"/proc/{number}/stat").read_text()
        line = Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None
    fields = status.rpartition(")")[2].split()
    if fields[0] == "Z":
        return None
    role = next((role for word, role in ROLES.items() if word in line), "other")
    return Seen((number, int(fields[19])), int(fields[1]), role, int(fields[21]) * PAGE)


def awaited(condition: Callable[[], bool], limit_s: float) -> bool:
    """Whether it came true within the limit."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True
