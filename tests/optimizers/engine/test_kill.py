"""`kill -9` at any instant, of anything: what was finished is kept and never measured again; nothing is left over."""

from __future__ import annotations

import contextlib
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
LONGEST_WAIT_S = 4.0
"""From the first word of a job: two trials, or the start of the judge and one."""
ROLES = {
    "engine": "outpace_optimizers.engine /",
    "worker": "outpace_optimizers.engine.worker",
    "judge": "outpace_audit.service",
    "arm": "outpace_audit.zygote",
}


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


def run_and_kill(workspace: Workspace, role: str, wait_s: float) -> None:
    """One job, during which one process of a role dies."""
    begun, over = threading.Event(), threading.Event()

    def kill() -> None:
        begun.wait()
        over.wait(wait_s)
        engine = engine_of(workspace)
        family = processes_of(engine) if engine else {}
        victims = [pid for pid, line in family.items() if ROLES[role] in line]
        if victims:
            os.kill(max(victims), signal.SIGKILL)  # of arms and their keepers, the youngest

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with contextlib.suppress(OutpaceError), EngineClient(workspace) as client:
            client.run(small_job(workspace), lambda event: begun.set())
    finally:
        begun.set()
        over.set()
        killer.join()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_finished_is_lost_or_repeated(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, CHANGES)
    chance = random.Random(20261124)
    kept: set[str] = set()
    for number in range(KILLS):
        run_and_kill(workspace, list(ROLES)[number % len(ROLES)], chance.uniform(0, LONGEST_WAIT_S))
        now = finished(workspace)
        assert kept <= now
        kept = now

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
