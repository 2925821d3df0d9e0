"""The ledger's promises: nothing lost by a kill, nothing tried twice, a broken file moved aside and said."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from outpace_audit.codec import plain
from outpace_audit.errors import EnvironmentMissing
from outpace_audit.records import Code, Idea, Machine, Patch, Verdict, Workload
from outpace_optimizers.ledger import MIGRATIONS, Ledger, trial_key
from outpace_optimizers.records import Cost, Target, Turn
from outpace_optimizers.stored_trial import StoredTrial, find_trial
from outpace_optimizers.turns.book import TurnBook
from outpace_optimizers.workspace import LEDGER

MACHINE = Machine("cpu", "CPU", "", "CPU", 2, "3.11", "2.13", None, None, None, {"memory_bytes_per_s": 1.0})
CODE = Code("/a/model.py", "text", "Model", "module")
PATCH = Patch("/a/model.py", "base", "new text", ())
WORKLOADS = (Workload("get_inputs", "get_inputs", "declared"),)


def test_what_was_finished_is_known_after_reopening_and_the_newest_wins(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.start("k", {"title": "t"})
        assert ledger.known("k") is None
        ledger.finish("k", "v1", {"verdict": 1})
        ledger.finish("k", "v1", {"verdict": 2})
    with Ledger(tmp_path) as ledger:
        known, found = ledger.known("k"), ledger.find("v1")
        assert known is not None and known.body == {"verdict": 2} and known.verdict == "v1"
        assert found == known
        assert ledger.find("v2") is None and ledger.notes == ()


def test_a_trouble_is_no_verdict(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.start("k", {})
        ledger.trouble("k", "out of memory")
        assert ledger.known("k") is None


WRITER = """
import sys
from pathlib import Path
from outpace_optimizers.ledger import Ledger
with Ledger(Path(sys.argv[1])) as ledger:
    for number in range(10**9):
        ledger.finish(f"k{number}", "v", {"number": number, "fill": "x" * 5000})
        print(number, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_had_kept(tmp_path: Path) -> None:
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        last = [int(writer.stdout.readline()) for _ in range(20)][-1]
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split("\n")[:-1]
        writer.wait()
        last = int(rest[-1]) if rest else last
        with Ledger(tmp_path) as ledger:
            assert ledger.notes == ()
            for number in range(last + 1):
                known = ledger.known(f"k{number}")
                assert known is not None and known.body["number"] == number


@pytest.mark.parametrize("damage", ["text", "truncated"])
def test_a_broken_file_is_moved_aside_and_said(tmp_path: Path, damage: str) -> None:
    with Ledger(tmp_path) as ledger:
        for number in range(200):
            ledger.finish(f"k{number}", "v", {"fill": "x" * 500})
    path = tmp_path / LEDGER
    path.write_bytes(b"this is no database at all" * 100 if damage == "text" else path.read_bytes()[:20000])
    with Ledger(tmp_path) as ledger:
        (note,) = ledger.notes
        assert "moved to" in note and LEDGER in note
        assert ledger.known("k1") is None
        ledger.finish("new", "v", {})
    assert [p for p in tmp_path.iterdir() if ".broken-" in p.name]


def test_a_newer_ledger_is_left_alone(tmp_path: Path) -> None:
    with Ledger(tmp_path):
        pass
    with sqlite3.connect(tmp_path / LEDGER) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(EnvironmentMissing, match="newer outpace"):
        Ledger(tmp_path)
    assert not [p for p in tmp_path.iterdir() if ".broken-" in p.name]


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(EnvironmentMissing, match="OUTPACE_STATE"):
            Ledger(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_the_key_changes_with_all_that_a_verdict_depends_on() -> None:
    asked = ("tolerant", False, False, False)
    key = trial_key(CODE, {"model.py": "h"}, WORKLOADS, PATCH, asked, MACHINE)
    assert key == trial_key(CODE, {"model.py": "h"}, WORKLOADS, PATCH, asked, replace(MACHINE, ceilings={}))
    others = [
        trial_key(replace(CODE, symbol="Block"), {"model.py": "h"}, WORKLOADS, PATCH, asked, MACHINE),
        trial_key(replace(CODE, init_entry="f"), {"model.py": "h"}, WORKLOADS, PATCH, asked, MACHINE),
        trial_key(CODE, {"model.py": "other"}, WORKLOADS, PATCH, asked, MACHINE),
        trial_key(CODE, {"model.py": "h", "helper.py": "h"}, WORKLOADS, PATCH, asked, MACHINE),
        trial_key(CODE, {"model.py": "h"}, (replace(WORKLOADS[0], entry="f"),), PATCH, asked, MACHINE),
        trial_key(CODE, {"model.py": "h"}, WORKLOADS, replace(PATCH, new_source="x"), asked, MACHINE),
        trial_key(CODE, {"model.py": "h"}, WORKLOADS, PATCH, ("exact", False, False, False), MACHINE),
        trial_key(CODE, {"model.py": "h"}, WORKLOADS, PATCH, asked, replace(MACHINE, torch="2.14")),
    ]
    assert len({key, *others}) == 9


def stored(rule: str, *, accepted: bool, low: float | None = None) -> dict[str, object]:
    interval = None if low is None else (low, low + 0.1)
    verdict = Verdict(
        "v", accepted, "r", "exact", "L4", low, interval, (), (), MACHINE, (), False, "fp64"
    )  # fmt: skip
    idea = Idea(rule, "t", "r", "exact", PATCH)
    body = asdict(StoredTrial(Target(CODE, WORKLOADS), idea, verdict, False, "tolerant", 0, False, "", False))
    del body["cost"]
    return body


def test_an_old_ledger_learns_what_its_trials_took(tmp_path: Path) -> None:
    """One of before there were costs and turns, as its statements made it."""
    with sqlite3.connect(tmp_path / LEDGER) as db:
        for statements in MIGRATIONS[:2]:
            for statement in statements:
                db.execute(statement)
        db.execute("PRAGMA user_version = 2")
        won, lost = stored("loop-to-batch", accepted=True, low=1.25), stored("model", accepted=False)
        rows = [
            (100.0, "started", "a", None, {}), (130.0, "troubled", "a", None, {}), (200.0, "started", "a", None, {}),
            (212.5, "finished", "a", "v1", won), (300.0, "finished", "b", "v2", lost),
            (400.0, "started", "c", None, {}), (404.0, "finished", "c", "v3", lost),
            (500.0, "started", "d", None, {}), (501.0, "finished", "d", "v4", {"of": "another version"}),
        ]  # fmt: skip
        for at, kind, key, verdict, body in rows:
            statement = "INSERT INTO event (at, kind, key, verdict, body) VALUES (?, ?, ?, ?, ?)"
            db.execute(statement, (at, kind, key, verdict, json.dumps(plain(body))))
    with Ledger(tmp_path) as ledger:
        assert ledger.notes == ()
        assert find_trial(ledger, "v1").cost == Cost(12.5)
        assert find_trial(ledger, "v2").cost == Cost(), "nobody knows when it began"
        assert find_trial(ledger, "v3").cost.judged_s == 4.0
        assert find_trial(ledger, "v1").verdict.interval == (1.25, 1.35)
        book = TurnBook(ledger, "a new target", MACHINE, fresh=False)
        seen = sorted(book.seen(), key=lambda one: one.turn.proposer)
        assert [one.turn for one in seen] == [Turn("model", 1, 0, 1.0, 4.0), Turn("rules", 1, 1, 1.25, 12.5)]
        assert not any(one.own for one in seen)
    with Ledger(tmp_path) as ledger:
        assert len(TurnBook(ledger, "a new target", MACHINE, fresh=False).seen()) == 2, "taken over twice"
