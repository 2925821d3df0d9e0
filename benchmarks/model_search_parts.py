"""A list of edits in parts that are judged side by side, each by a search of its own on processors of its own.

A part's processors are whole cores, and of one socket where that can be; its lease is its own, so that no part waits
for another. What the cores of one machine share (the last cache, memory, the clock that they are given) stays shared:
both sides of a pair meet it alike.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TOPOLOGY = Path("/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True)
class Part:
    """The `number`th of `of`, from 0; written from 1."""

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> Part:
        """`3/32`. Raises ValueError."""
        number, _, of = text.partition("/")
        part = cls(int(number) - 1, int(of))
        if not 0 <= part.number < part.of:
            raise ValueError(f"{text}: write N/M, N from 1 to M")
        return part

    def __str__(self) -> str:
        return f"{self.number + 1}/{self.of}"

    def has(self, edit: int) -> bool:
        return edit % self.of == self.number

    def path(self, whole: Path) -> Path:
        """Where its outcomes lie, beside those of the whole."""
        return whole.with_name(f"{whole.stem}.part-{self.number + 1}-of-{self.of}{whole.suffix}")


def shares(processors: Sequence[int], parts: int, core_of: Callable[[int], tuple[int, int]]) -> list[list[int]]:
    """Of equal size, in whole cores; what is left over is left idle. `core_of` gives the socket and the core of a
    processor. Raises ValueError where there are too few."""
    cores: dict[tuple[int, int], list[int]] = {}
    for one in sorted(processors, key=lambda one: (*core_of(one), one)):
        cores.setdefault(core_of(one), []).append(one)
    each = len(cores) // parts
    if each < 1:
        raise ValueError(f"{parts} parts at once are too many for {len(cores)} cores: name as many at most")
    every = list(cores.values())
    return [[one for core in every[at * each : (at + 1) * each] for one in core] for at in range(parts)]


def core_of(processor: int) -> tuple[int, int]:
    """Socket and core; where the machine does not say, each processor is a core."""
    folder = TOPOLOGY / f"cpu{processor}" / "topology"
    try:
        socket, core = ((folder / name).read_text() for name in ("physical_package_id", "core_id"))
        return int(socket), int(core)
    except (OSError, ValueError):
        return 0, processor


@contextmanager
def on_its_own(part: Part) -> Generator[list[int]]:
    """This process, and what it starts, on the processors of the part, with a lease of its own. Yields them."""
    before, runtime = os.sched_getaffinity(0), os.environ.get("XDG_RUNTIME_DIR")
    mine = shares(sorted(before), part.of, core_of)[part.number]
    with tempfile.TemporaryDirectory(prefix="outpace-part-") as folder:
        os.sched_setaffinity(0, mine)
        os.environ["XDG_RUNTIME_DIR"] = folder
        try:
            yield mine
        finally:
            os.sched_setaffinity(0, before)
            os.environ.pop("XDG_RUNTIME_DIR")
            os.environ |= {"XDG_RUNTIME_DIR": runtime} if runtime is not None else {}


def run_all(script: Path, arguments: Sequence[str], parts: int, heard: Callable[[Part, str], None]) -> list[int]:
    """The script once for each part, at the same time; exit codes in their order. `heard` has each line that one
    writes, from one thread at a time."""
    shares(sorted(os.sched_getaffinity(0)), parts, core_of)
    speaking = threading.Lock()

    def follow(part: Part, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None, "opened with a pipe"
        for line in process.stdout:
            with speaking:
                heard(part, line.rstrip("\n"))

    every = [Part(number, parts) for number in range(parts)]
    running = [
        subprocess.Popen(
            [sys.executable, str(script), *arguments, "--part", str(part)], stdout=subprocess.PIPE, text=True
        )
        for part in every
    ]
    threads = [threading.Thread(target=follow, args=pair, daemon=True) for pair in zip(every, running, strict=True)]
    try:
        for thread in threads:
            thread.start()
        return [process.wait() for process in running]
    finally:
        for process in running:
            process.terminate()
        for thread in threads:
            thread.join(timeout=10)
