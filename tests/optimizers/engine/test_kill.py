"""`kill -9` at any instant, of anything: what was finished is kept and never measured again; nothing is left over."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import signal
import sqlite3
import threading
from pathlib import Path

import pytest
from engines import alive, engine_of, make_workspace, processes_of, small_job, until

from outpace_audit.codec import decode
from outpace_audit.errors import OutpaceError
from outpace_optimizers.engine.client import EngineClient, run_job
from outpace_optimizers.records import Event, Report, TrialStarted
from outpace_optimizers.workspace import LEDGER, Workspace

KILLS = 20
CHANGES = 8
EVENTS, LONGEST_WAIT_S = 24, 1.0
"""A death comes up to so long after one of a job's first events: in its start, in its first trial or in its second."""
ROLES = {
    "engine": "outpace_optimizers.engine /",
    "worker": "outpace_optimizers.engine.worker",
    "judge": "outpace_audit.service",
    "arm": "outpace_audit.zygote",
}
VICTIMS = ("engine", "arm", "worker", "arm", "judge")
"""In turn. Most processes are arms."""


def events(workspace: Workspace) -> list[tuple[str, str, bool]]:
    """Kind, key and whether the verdict is of a candidate that died, in their order."""
    with contextlib.closing(sqlite3.connect(workspace.state / LEDGER)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = db.execute("SELECT kind, key, body FROM event ORDER BY id").fetchall()
    return [(kind, key, kind == "finished" and _died(json.loads(body))) for kind, key, body in rows]


def _died(body: dict[str, object]) -> bool:
    return '"kind": "died"' in json.dumps(body["verdict"])


def finished(workspace: Workspace) -> set[str]:
    if not (workspace.state / LEDGER).exists():
        return set()
    return {key for kind, key, died in events(workspace) if kind == "finished" and not died}


class GivenUpError(Exception):
    """The job has shown that it goes on."""


def victim_of(workspace: Workspace, role: str) -> int | None:
    """Of arms and their keepers, the youngest."""
    engine = engine_of(workspace)
    family = processes_of(engine) if engine else {}
    return max((pid for pid, line in family.items() if ROLES[role] in line), default=None)


def run_and_kill(workspace: Workspace, role: str, number: int, wait_s: float) -> bool:
    """One job, during which one process of a role dies, so long after that event; whether there was one before the
    job's end. What goes on nevertheless is given up at the next trial, so that the next death too meets work that is
    to be done."""
    due, over, dead = threading.Event(), threading.Event(), threading.Event()
    heard = itertools.count(1)

    def kill() -> None:
        due.wait()
        over.wait(wait_s)
        until(lambda: over.is_set() or victim_of(workspace, role) is not None)
        if (victim := victim_of(workspace, role)) is not None:
            os.kill(victim, signal.SIGKILL)
            dead.set()

    def listen(event: Event) -> None:
        if next(heard) == number:
            due.set()
        if dead.is_set() and isinstance(event, TrialStarted):
            raise GivenUpError

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with contextlib.suppress(OutpaceError, GivenUpError), EngineClient(workspace) as client:
            client.run(small_job(workspace), listen)
    finally:
        over.set()
        due.set()
        killer.join()
    return dead.is_set()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_finished_is_lost_or_repeated(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, CHANGES)
    chance = random.Random(20261124)
    kept: set[str] = set()
    for role in itertools.islice(itertools.cycle(VICTIMS), KILLS):
        died = run_and_kill(workspace, role, chance.randint(1, EVENTS), chance.uniform(0, LONGEST_WAIT_S))
        now = finished(workspace)
        assert died or len(now) == CHANGES
        assert kept <= now
        kept = now
    assert kept, "nothing was finished that could have been lost"

    told: list[Event] = []
    report = decode(Report, run_job(workspace, small_job(workspace), told.append))
    assert report.stop == "no ideas left"
    assert len(report.trials) == CHANGES == sum(isinstance(event, TrialStarted) for event in told)
    assert {trial.known_since is None for trial in report.trials} <= {True, False}
    assert kept <= finished(workspace)

    done: set[str] = set()
    for kind, key, died in events(workspace):
        assert kind != "started" or key not in done, "a finished trial was measured again"
        if kind == "finished" and not died:
            done.add(key)


@pytest.mark.parametrize("role", list(ROLES))
def test_a_death_leaves_no_process_behind(tmp_path: Path, role: str) -> None:
    workspace = make_workspace(tmp_path, 1)
    seen: dict[int, str] = {}

    def listen(event: Event) -> None:
        engine = engine_of(workspace)
        if engine and isinstance(event, TrialStarted):
            seen.update(processes_of(engine))
            os.kill(max(pid for pid, line in seen.items() if ROLES[role] in line), signal.SIGKILL)

    with contextlib.suppress(OutpaceError), EngineClient(workspace) as client:
        client.run(small_job(workspace), listen)
    assert len(seen) >= 4, seen
    assert until(lambda: not any(alive(pid) for pid in seen)), {p: line for p, line in seen.items() if alive(p)}
