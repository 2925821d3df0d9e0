"""What language models cost this workspace: `.outpace/model.sqlite`, one row a call.

A call is written down at its worst case before it is made, and at what it came to afterwards. One that was never
settled (a time-out, a crash) stays at its worst case: the provider may have charged for it. Replies are kept, so that
the same question is not paid for twice, and so is which run has not ended: started again, it goes on within its limits.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from outpace_audit.errors import ModelError
from outpace_optimizers.model.client import Answer
from outpace_optimizers.records import ModelRequest
from outpace_optimizers.transaction import transaction

FILE = "model.sqlite"
WAIT_S = 10.0
"""For another process's write to end: a transaction here takes milliseconds."""
VERSION = 4
_TABLE = """CREATE TABLE call (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    day TEXT NOT NULL,
    run TEXT NOT NULL,
    model TEXT NOT NULL,
    question TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    dollars REAL NOT NULL,
    settled INTEGER NOT NULL DEFAULT 0,
    reply TEXT
)"""
_RUNS = """CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    subject TEXT NOT NULL,
    name TEXT NOT NULL,
    lessons TEXT NOT NULL,
    ended TEXT
)"""
_ACCOUNTS = (
    "ALTER TABLE call ADD COLUMN account TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX call_account ON call (account)",
)
_ENDINGS = (
    "ALTER TABLE call ADD COLUMN cut INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE call ADD COLUMN missing TEXT NOT NULL DEFAULT ''",
)
_INDEXES = ("CREATE INDEX call_question ON call (question, id)", "CREATE INDEX call_day ON call (day)")


@dataclass(frozen=True, slots=True)
class Run:
    """One search on one `subject` (a target, a model, a machine). `lessons` are those that its questions show: what is
    learnt in between must not change them, or a run that goes on would ask, and pay for, other questions."""

    name: str
    lessons: tuple[str, ...]
    goes_on: bool
    """It was killed before, and has spent what that spent."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Settled and committed together."""

    calls: int
    tokens: int
    dollars: float


class Spending:
    """One connection. Use as a context. Raises ModelError where the file cannot be used: nothing is spent uncounted."""

    def __init__(self, state: Path) -> None:
        self.path = state / FILE
        with self._explained():
            self._db = sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def __enter__(self) -> Spending:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def begin(self, subject: str, lessons: Sequence[str], *, fresh: bool) -> Run:
        """The run that was killed, if the last one on this subject was; else a new one, which shows the same lessons
        as the last, and `lessons` only where there was none. `fresh`: as if there had been none."""
        with self._explained(), transaction(self._db):
            row = self._db.execute(
                "SELECT name, lessons, ended FROM run WHERE subject = ? ORDER BY id DESC LIMIT 1", (subject,)
            ).fetchone()
            last = None if row is None or fresh else row
            if last is not None and last[2] is None:
                return Run(last[0], tuple(json.loads(last[1])), goes_on=True)
            kept = tuple(lessons) if last is None else tuple(json.loads(last[1]))
            name = uuid.uuid4().hex
            self._db.execute(
                "INSERT INTO run (at, subject, name, lessons) VALUES (?, ?, ?, ?)",
                (time.time(), subject, name, json.dumps(kept)),
            )
        return Run(name, kept, goes_on=False)

    def end(self, run: str, reason: str) -> None:
        """Of its own accord; one that is never ended was killed."""
        with self._explained():
            self._db.execute("UPDATE run SET ended = ? WHERE name = ?", (reason, run))

    def commit(self, run: str, request: ModelRequest, question: str, tokens: int, dollars: float) -> int:
        """The number of a call that may be made. Raises ModelError, saying which limit it would pass."""
        with self._explained(), transaction(self._db):
            now, day = time.time(), _today()
            spent = self._sum("account", request.account) if request.account else self._sum("run", run)
            self._refuse_beyond(spent, "run", request.tokens_per_run, request.dollars_per_run, tokens, dollars)
            self._refuse_beyond(
                self._sum("day", day), "day", request.tokens_per_day, request.dollars_per_day, tokens, dollars
            )
            row = self._db.execute(
                "INSERT INTO call (at, day, run, model, question, tokens, dollars, account) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (now, day, run, request.name, question, tokens, dollars, request.account),
            )
        assert row.lastrowid is not None, "a row was inserted"
        return row.lastrowid

    def settle(self, call: int, tokens: int, dollars: float, reply: Answer | None) -> None:
        """What the call came to; all zero and None for one that was refused and not charged."""
        said = (None, False, "") if reply is None else (reply.text, reply.cut, reply.missing)
        with self._explained():
            self._db.execute(
                "UPDATE call SET tokens = ?, dollars = ?, reply = ?, cut = ?, missing = ?, settled = 1 WHERE id = ?",
                (tokens, dollars, *said, call),
            )

    def remembered(self, question: str) -> Answer | None:
        """The newest reply to the very same question, one without use too: it was paid for."""
        with self._explained():
            row = self._db.execute(
                "SELECT reply, cut, missing FROM call "
                "WHERE question = ? AND reply IS NOT NULL ORDER BY id DESC LIMIT 1",
                (question,),
            ).fetchone()
        return None if row is None else Answer(row[0], bool(row[1]), None, None, row[2])

    def of_run(self, run: str) -> Sum:
        with self._explained():
            return self._sum("run", run)

    def of_account(self, account: str) -> Sum:
        with self._explained():
            return self._sum("account", account)

    def today(self) -> Sum:
        with self._explained():
            return self._sum("day", _today())

    def _sum(self, column: str, value: str) -> Sum:
        query = (
            f"SELECT count(CASE WHEN tokens > 0 THEN 1 END), total(tokens), total(dollars) FROM call WHERE {column} = ?"
        )
        calls, tokens, dollars = self._db.execute(query, (value,)).fetchone()
        return Sum(calls, int(tokens), dollars)

    def _refuse_beyond(
        self, spent: Sum, per: str, most_tokens: int, most_dollars: float, tokens: int, dollars: float
    ) -> None:
        if spent.dollars + dollars > most_dollars:
            raise ModelError(
                f"money: ${spent.dollars:.4f} of ${most_dollars:.2f} a {per} are spent, and the next reply may cost "
                f"${dollars:.4f}"
            )
        if spent.tokens + tokens > most_tokens:
            raise ModelError(
                f"tokens: {spent.tokens} of {most_tokens} a {per} are spent, and the next reply may take {tokens}"
            )

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        with transaction(self._db):
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise ModelError(f"{self.path} was written by a newer outpace: upgrade, or move it away")
            first = (_TABLE, *_INDEXES) if version == 0 else ()
            second = (_RUNS,) if version < 2 else ()
            third = _ACCOUNTS if version < 3 else ()
            fourth = _ENDINGS if version < VERSION else ()
            for statement in (*first, *second, *third, *fourth, f"PRAGMA user_version = {VERSION}"):
                self._db.execute(statement)

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise ModelError(
                f"{self.path}: {error}: what a model costs cannot be counted, so none is asked; "
                "free some space, or move the file away"
            ) from error


def _today() -> str:
    """In UTC: a day must not begin twice."""
    return time.strftime("%Y-%m-%d", time.gmtime())
