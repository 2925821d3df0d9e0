"""What a project's campaigns have measured: lines of JSON that are only ever added to, so that a killed one goes on."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from outpace_audit.codec import decode, plain
from outpace_optimizers.training.config import TrainingTarget
from outpace_optimizers.training.files import Hashes, matches, walk
from outpace_optimizers.training.reading import TrainingError
from outpace_optimizers.training.run import RunResult
from outpace_optimizers.workspace import Workspace

Phase: TypeAlias = Literal[
    "spread", "screening", "confirmation", "decoy", "shuffled", "repeat", "counted", "uncompiled"
]
Side: TypeAlias = Literal["baseline", "candidate"]
SIDES: tuple[Side, Side] = ("baseline", "candidate")
FILE = "training.jsonl"


@dataclass(frozen=True, slots=True)
class Begun:
    """`baseline` and `change` are hashes; `root` is what seeds come from, `alpha` what each of two tests has."""

    id: str
    baseline: str
    change: str
    root: str
    alpha: float
    runs: int
    at: float


@dataclass(frozen=True, slots=True)
class KeptRun:
    campaign: str
    baseline: str
    side: Side
    phase: Phase
    number: int
    result: RunResult


@dataclass(frozen=True, slots=True)
class Ended:
    """`accepted` with the confirmation's numbers, or `reason`, why not."""

    campaign: str
    accepted: bool
    reason: str
    at: float


Entry: TypeAlias = Begun | KeptRun | Ended
_KINDS: dict[str, type[Entry]] = {"begun": Begun, "run": KeptRun, "ended": Ended}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def baseline_key(root: Path, target: TrainingTarget, hashes: Hashes) -> str:
    """Of all that a run of the baseline depends on, as far as the project goes: its description, the named files, all
    Python files."""
    named = (*target.may_change, *target.must_not_change, "**/*.py")
    what = replace(target, effect=None, runs=None, environment=dict(sorted(target.environment.items())))
    digest = hashlib.sha256(repr(what).encode())
    for path in walk(root):
        if matches(path, named):
            digest.update(f"\0{path}\0{hashes.of(root / path)}".encode(errors="surrogateescape"))
    return digest.hexdigest()


class Store:
    """Opened by `opened`, which keeps others out."""

    def __init__(self, descriptor: int, entries: list[Entry]) -> None:
        self._descriptor = descriptor
        self.entries = entries

    def add(self, entry: Entry) -> None:
        """On the disk when it returns."""
        line = json.dumps({"kind": _NAMES[type(entry)], **plain(asdict(entry))}, allow_nan=False)
        os.write(self._descriptor, line.encode() + b"\n")
        os.fsync(self._descriptor)
        self.entries.append(entry)

    def begun(self, baseline: str, change: str) -> Begun | None:
        """The newest campaign of them."""
        found = [one for one in self.entries if isinstance(one, Begun)]
        return next((one for one in reversed(found) if (one.baseline, one.change) == (baseline, change)), None)

    def ended(self, campaign: str) -> Ended | None:
        return next((one for one in self.entries if isinstance(one, Ended) and one.campaign == campaign), None)

    def runs(self, campaign: str, phase: Phase, side: Side) -> dict[int, RunResult]:
        wanted = (campaign, phase, side)
        kept = [one for one in self.entries if isinstance(one, KeptRun)]
        return {one.number: one.result for one in kept if (one.campaign, one.phase, one.side) == wanted}

    def spread(self, baseline: str, phase: Phase = "spread") -> list[RunResult]:
        """Of every campaign: a baseline's spread is its own."""
        kept = [one for one in self.entries if isinstance(one, KeptRun)]
        return [one.result for one in kept if (one.baseline, one.phase) == (baseline, phase)]

    def tried(self, baseline: str) -> int:
        """Campaigns on the baseline that have run a candidate: each had its chance to look good by luck."""
        kept = [one for one in self.entries if isinstance(one, KeptRun)]
        return len({one.campaign for one in kept if (one.baseline, one.side) == (baseline, "candidate")})


@contextmanager
def opened(workspace: Workspace) -> Generator[Store]:
    """Raises TrainingError where another campaign runs in the workspace, or the file is no such file."""
    workspace.prepare()
    path = workspace.state / FILE
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TrainingError(f"another `outpace train` runs in {workspace.root}: wait for its end") from None
        yield Store(descriptor, list(_entries(descriptor, str(path))))
    finally:
        os.close(descriptor)


def _entries(descriptor: int, path: str) -> Generator[Entry]:
    """A last line without its end was being written when the power went: it is cut off."""
    data = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        os.ftruncate(descriptor, len(whole))
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            yield _entry(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TrainingError(
                f"{path}:{number} can't be read ({error}): move the file away to start afresh"
            ) from error


def _entry(fields: Mapping[str, Any]) -> Entry:
    known = dict(fields)
    return decode(_KINDS[known.pop("kind")], known)


def turns(runs: int) -> Iterator[tuple[Side, int]]:
    """Baseline and candidate in turn, the first of each pair alternating."""
    for number in range(runs):
        for side in SIDES if number % 2 == 0 else reversed(SIDES):
            yield side, number


def now() -> float:
    """Seconds since 1970."""
    return time.time()
