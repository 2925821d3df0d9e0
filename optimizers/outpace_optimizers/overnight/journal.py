"""`.outpace/overnight.sqlite`: one row a night, and one for each thing that happened in it, only ever appended.

A night that is killed at any instant loses what was not yet finished, and goes on from the rest. Time is counted ahead:
what stands here has been spent, or will be within a tick.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from outpace_audit.codec import decode, plain
from outpace_audit.errors import EnvironmentMissing, ModelError
from outpace_audit.records import Machine
from outpace_optimizers.model import spending
from outpace_optimizers.overnight.records import Dot, Night, Place, TargetProgress, Tried
from outpace_optimizers.records import Turn
from outpace_optimizers.transaction import transaction

FILE = "overnight.sqlite"
WAIT_S = 10.0
"""For another process's write to end: a transaction here takes milliseconds."""
VERSION = 2
_TABLES = (
    """CREATE TABLE night (
        id INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        name TEXT NOT NULL UNIQUE,
        subject TEXT NOT NULL,
        folder TEXT NOT NULL,
        model TEXT NOT NULL,
        budget_s REAL NOT NULL,
        spent_s REAL NOT NULL DEFAULT 0,
        now TEXT NOT NULL DEFAULT '',
        stop TEXT NOT NULL DEFAULT '',
        final INTEGER NOT NULL DEFAULT 0
    )""",
    """CREATE TABLE event (
        id INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        night TEXT NOT NULL,
        spent_s REAL NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('machine', 'turn', 'trial', 'stop', 'trouble', 'taken')),
        place TEXT NOT NULL,
        body TEXT NOT NULL
    )""",
    "CREATE INDEX event_night ON event (night, id)",
)
_SECOND = (
    "DROP INDEX event_night",
    "ALTER TABLE event RENAME TO event_before",
    *_TABLES[1:],
    "INSERT INTO event SELECT * FROM event_before",
    "DROP TABLE event_before",
)
"""The first version knew no event 'taken'."""


class Journal:
    """One connection, for any thread. Use as a context. Raises EnvironmentMissing where the file cannot be used."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self.path = state / FILE
        self._alone = threading.RLock()
        with self._explained():
            self._db = sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def begin(self, subject: str, folder: str, model: str, budget_s: float, *, fresh: bool) -> tuple[str, bool]:
        """The name of a night, and whether it is the last one, which did not come to its end, gone on with."""
        with self._explained():
            last = self._one("SELECT * FROM night ORDER BY id DESC LIMIT 1")
            if last is not None and not last["final"] and last["subject"] == subject and not fresh:
                self._run("UPDATE night SET stop = '', budget_s = ? WHERE name = ?", budget_s, last["name"])
                return last["name"], True
            name = uuid.uuid4().hex
            self._run(
                "INSERT INTO night (at, name, subject, folder, model, budget_s) VALUES (?, ?, ?, ?, ?, ?)",
                time.time(), name, subject, folder, model, budget_s,
            )  # fmt: skip
            return name, False

    def spent_s(self, name: str) -> float:
        with self._explained():
            row = self._one("SELECT spent_s FROM night WHERE name = ?", name)
        return row["spent_s"] if row is not None else 0.0

    def spend(self, name: str, spent_s: float) -> None:
        with self._explained():
            self._run("UPDATE night SET spent_s = ? WHERE name = ?", spent_s, name)

    def doing(self, name: str, now: str) -> None:
        with self._explained():
            self._run("UPDATE night SET now = ? WHERE name = ?", now, name)

    def end(self, name: str, stop: str, *, final: bool) -> None:
        with self._explained():
            self._run("UPDATE night SET stop = ?, final = ?, now = '' WHERE name = ?", stop, int(final), name)

    def add(self, name: str, spent_s: float, kind: str, place: Place | None, body: Mapping[str, Any]) -> None:
        where = json.dumps(asdict(place)) if place is not None else ""
        with self._explained():
            self._run(
                "INSERT INTO event (at, night, spent_s, kind, place, body) VALUES (?, ?, ?, ?, ?, ?)",
                time.time(), name, spent_s, kind, where, json.dumps(plain(body)),
            )  # fmt: skip

    def night(self, name: str | None = None) -> Night | None:
        """The newest one where none is named."""
        with self._explained(), self._alone:
            row = self._one("SELECT * FROM night WHERE ? IN ('', name) ORDER BY id DESC LIMIT 1", name or "")
            if row is None:
                return None
            events = self._db.execute("SELECT * FROM event WHERE night = ? ORDER BY id", (row["name"],)).fetchall()
        return self._with_money(_night(row, events))

    def _with_money(self, night: Night) -> Night:
        """What it has cost is counted where calls are paid for."""
        if not night.model or not (self._state / spending.FILE).exists():
            return night
        try:
            with spending.Spending(self._state) as money:
                spent = money.of_account(night.name)
        except ModelError:
            return night
        return replace(night, calls=spent.calls, tokens=spent.tokens, dollars=spent.dollars)

    def _one(self, query: str, *values: object) -> sqlite3.Row | None:
        with self._alone:
            return self._db.execute(query, values).fetchone()

    def _run(self, statement: str, *values: object) -> None:
        with self._alone:
            self._db.execute(statement, values)

    def _prepare(self) -> None:
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        with transaction(self._db):
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise EnvironmentMissing(f"{self.path} was written by a newer outpace: upgrade, or move it away")
            for statement in _TABLES if version == 0 else _SECOND if version == 1 else ():
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise EnvironmentMissing(
                f"{self.path}: {error}: free some space, move the file away, or set OUTPACE_STATE to a folder that "
                "can be written"
            ) from error


def _night(row: sqlite3.Row, events: Sequence[sqlite3.Row]) -> Night:
    targets: dict[str, TargetProgress] = {}
    troubles: list[str] = []
    machine: Machine | None = None
    for event in events:
        body = json.loads(event["body"])
        if event["kind"] == "machine":
            machine = decode(Machine, body)
        elif event["kind"] == "trouble":
            troubles.append(body["text"])
        else:
            place = decode(Place, json.loads(event["place"]))
            before = replace(targets.get(place.label, TargetProgress(place)), place=place)
            targets[place.label] = _after(before, event, body)
    return Night(
        row["name"], row["folder"], row["model"], row["at"], row["budget_s"], row["spent_s"], row["now"], row["stop"],
        bool(row["final"]), machine, tuple(targets.values()), tuple(dict.fromkeys(troubles)),
    )  # fmt: skip


def _after(target: TargetProgress, event: sqlite3.Row, body: Mapping[str, Any]) -> TargetProgress:
    if event["kind"] == "turn":
        given_s = target.given_s + body["seconds"]
        return replace(target, turns=target.turns + 1, given_s=given_s, stop="", done=False)
    if event["kind"] == "stop":
        return replace(target, stop=body["reason"], done=body["done"])
    if event["kind"] == "taken":
        return replace(target, taken=(*target.taken, decode(Turn, body)))
    dot = Dot(event["spent_s"], event["at"], decode(Tried, body))
    return replace(target, dots=(*target.dots, dot))
