"""The ledger: every trial of a workspace, kept as events that are only ever appended.

SQLite in WAL mode: a process that is killed at any instant loses its unfinished trial and nothing else. Events carry
the never-repeat key of their trial (`trial_key`); what is current is read from views. Beside them stand the turns of
those who propose: turns/book.py.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sqlite3
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from outpace_audit.codec import plain
from outpace_audit.errors import EnvironmentMissing
from outpace_audit.records import AUDITOR_VERSION, Code, Machine, Patch, Workload, content_id
from outpace_optimizers.transaction import transaction
from outpace_optimizers.workspace import LEDGER

LOCK = "ledger.lock"
WAIT_S = 10.0
"""For another process's write to end: a transaction here takes milliseconds."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE event (
            id INTEGER PRIMARY KEY,
            at REAL NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('started', 'finished', 'troubled')),
            key TEXT NOT NULL,
            verdict TEXT,
            body TEXT NOT NULL
        )""",
        "CREATE INDEX event_key ON event (key, id)",
        "CREATE INDEX event_verdict ON event (verdict, id) WHERE verdict IS NOT NULL",
        """CREATE VIEW finished AS
            SELECT * FROM event AS one WHERE kind = 'finished'
            AND id = (SELECT max(id) FROM event WHERE key = one.key AND kind = 'finished')""",
    ),
    (
        """CREATE INDEX event_base ON event (json_extract(body, '$.idea.patch.base_hash'), id)
            WHERE kind = 'finished'""",
    ),
    (
        """CREATE TABLE run (
            id INTEGER PRIMARY KEY,
            at REAL NOT NULL,
            subject TEXT NOT NULL,
            machine TEXT NOT NULL
        )""",
        "CREATE INDEX run_subject ON run (subject, id)",
        """CREATE TABLE choice (
            id INTEGER PRIMARY KEY,
            run INTEGER NOT NULL,
            number INTEGER NOT NULL,
            proposer TEXT NOT NULL
        )""",
        "CREATE INDEX choice_run ON choice (run, number)",
        """CREATE TABLE turn (
            id INTEGER PRIMARY KEY,
            at REAL NOT NULL,
            run INTEGER,
            machine TEXT NOT NULL,
            proposer TEXT NOT NULL,
            judged INTEGER NOT NULL,
            won INTEGER NOT NULL,
            factor REAL NOT NULL,
            seconds REAL NOT NULL,
            asked_s REAL NOT NULL,
            tokens INTEGER NOT NULL,
            dollars REAL NOT NULL
        )""",
        "CREATE INDEX turn_machine ON turn (machine, id)",
        # What trials took was not kept before: it is the time between the first and the last word on each.
        """UPDATE event SET body = json_set(body, '$.cost', json_object('judged_s', at - (
                SELECT begun.at FROM event AS begun
                WHERE begun.key = event.key AND begun.kind = 'started' AND begun.id < event.id
                ORDER BY begun.id DESC LIMIT 1
            )))
            WHERE kind = 'finished' AND json_type(body, '$.idea') = 'object' AND json_type(body, '$.cost') IS NULL
            AND EXISTS (SELECT 1 FROM event AS begun
                WHERE begun.key = event.key AND begun.kind = 'started' AND begun.id < event.id)""",
        # What a model's ideas took of that time stands here, and what they cost does not: it is not known by trial.
        """INSERT INTO turn (at, machine, proposer, judged, won, factor, seconds, asked_s, tokens, dollars)
            SELECT at,
                json_extract(body, '$.verdict.machine.name') || '; torch '
                    || json_extract(body, '$.verdict.machine.torch') || '; triton '
                    || coalesce(json_extract(body, '$.verdict.machine.triton'), 'None'),
                CASE WHEN json_extract(body, '$.idea.rule') LIKE '%+%' THEN 'combining'
                    WHEN json_extract(body, '$.idea.rule') IN ('tuner', 'model') THEN json_extract(body, '$.idea.rule')
                    WHEN json_extract(body, '$.idea.rule') IN ('torch-compile', 'compile-modes') THEN 'compiling'
                    ELSE 'rules' END,
                1,
                coalesce(json_extract(body, '$.verdict.accepted'), 0),
                CASE WHEN json_extract(body, '$.verdict.accepted')
                    THEN max(1.0, coalesce(json_extract(body, '$.verdict.interval[0]'), 1.0)) ELSE 1.0 END,
                json_extract(body, '$.cost.judged_s'), 0, 0, 0
            FROM event
            WHERE kind = 'finished' AND json_extract(body, '$.cost.judged_s') IS NOT NULL
            AND json_type(body, '$.verdict.machine.torch') = 'text' AND json_type(body, '$.idea.rule') = 'text'
            AND json_extract(body, '$.idea.rule') <> 'audit' ORDER BY id""",
    ),
    (
        """CREATE TABLE question (
            id INTEGER PRIMARY KEY,
            at REAL NOT NULL,
            run INTEGER NOT NULL,
            question TEXT NOT NULL,
            known TEXT NOT NULL,
            measuring TEXT
        )""",
        "CREATE INDEX question_run ON question (run, question)",
    ),
)
"""Each entry takes the file from the version of its index to the next. Entries are never changed, only added."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The newest verdict of one trial. `at` is in seconds since 1970, `body` what `finish` was given."""

    at: float
    key: str
    verdict: str
    body: Mapping[str, Any]


def trial_key(
    code: Code,
    reached: Mapping[str, str],
    workloads: Sequence[Workload],
    patch: Patch,
    asked: Sequence[str | bool],
    machine: Machine,
) -> str:
    """What must be the same for a verdict to hold: the target and the code that it reaches (hash by file), workloads,
    patch, what was `asked` of the audit (its policy among it), machine with its torch and triton, and the auditor."""
    where = {name: value for name, value in asdict(machine).items() if name != "ceilings"}
    return content_id(
        [code.symbol, code.kind, code.init_entry, code.captured],
        dict(reached),
        [workload.id for workload in workloads],
        [patch.new_source, patch.files],
        list(asked),
        where,
        AUDITOR_VERSION,
    )


class Ledger:
    """One connection. Use as a context. `notes` says what a person should know of how it was opened.

    Where the disk is `full`, what is written goes nowhere.
    """

    def __init__(self, state: Path, *, repair: bool = True) -> None:
        """Raises EnvironmentMissing where the file cannot be opened.

        A broken one is moved aside and said so in `notes`, or without `repair` is an error too.
        """
        self.path = state / LEDGER
        self.notes: tuple[str, ...] = ()
        self.full = False
        with self._explained():
            self._db = self._opened_or_in_memory(state, repair=repair)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def start(self, key: str, body: Mapping[str, Any]) -> None:
        """Before a trial's first cost."""
        self._append("started", key, None, body)

    def finish(self, key: str, verdict: str, body: Mapping[str, Any]) -> None:
        self._append("finished", key, verdict, body)

    def trouble(self, key: str, message: str) -> None:
        """A passing trouble (out of memory, a foreign load): no verdict, so the trial may be repeated."""
        self._append("troubled", key, None, {"message": message})

    def known(self, key: str) -> Finished | None:
        return self._one("SELECT * FROM finished WHERE key = ?", key)

    def find(self, verdict: str) -> Finished | None:
        """The newest event of a verdict's id."""
        return self._one("SELECT * FROM event WHERE kind = 'finished' AND verdict = ? ORDER BY id DESC", verdict)

    def accepted(self) -> list[Finished]:
        """The newest acceptance of each trial, the oldest first; a later rejection of the same does not hide it."""
        query = """SELECT * FROM event WHERE id IN (
            SELECT max(id) FROM event WHERE kind = 'finished' AND json_extract(body, '$.verdict.accepted') GROUP BY key
        ) ORDER BY id"""
        return [_finished(row) for row in self.read(query)]

    def on_base(self, base_hash: str) -> list[Finished]:
        """The newest verdict of each trial whose patch starts from the text with this hash, the oldest first."""
        query = "SELECT * FROM finished WHERE json_extract(body, '$.idea.patch.base_hash') = ? ORDER BY id"
        return [_finished(row) for row in self.read(query, base_hash)]

    def read(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._explained():
            return self._db.execute(query, values).fetchall()

    def write(self, statement: str, *values: object) -> int:
        """The new row's number; 0 where the disk is full."""
        with self._explained():
            try:
                return self._db.execute(statement, values).lastrowid or 0
            except sqlite3.OperationalError as error:
                if not is_full(error):
                    raise
                self.full = True
                return 0

    def _append(self, kind: str, key: str, verdict: str | None, body: Mapping[str, Any]) -> None:
        self.write(
            "INSERT INTO event (at, kind, key, verdict, body) VALUES (?, ?, ?, ?, ?)",
            time.time(), kind, key, verdict, json.dumps(plain(body)),
        )  # fmt: skip

    def _one(self, query: str, value: str) -> Finished | None:
        rows = self.read(f"{query} LIMIT 1", value)
        return _finished(rows[0]) if rows else None

    def _opened_or_in_memory(self, state: Path, *, repair: bool) -> sqlite3.Connection:
        try:
            with _alone(state / LOCK):  # two at once would both find it broken, or both make it
                return self._opened_or_begun_anew() if repair else self._opened(self.path)
        except (sqlite3.OperationalError, OSError) as error:
            if not is_full(error):
                raise
            self.full = True
            return self._read_only_copy() or self._opened(":memory:")

    def _read_only_copy(self) -> sqlite3.Connection | None:
        """Without the files that SQLite writes beside an open database; None where there is nothing to read."""
        copy = sqlite3.connect(":memory:", isolation_level=None)
        copy.row_factory = sqlite3.Row
        try:
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as kept:
                kept.backup(copy)
            self._migrate(copy)
        except sqlite3.DatabaseError:
            copy.close()
            return None
        return copy

    def _opened_or_begun_anew(self) -> sqlite3.Connection:
        try:
            return self._opened(self.path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # locked, full, read-only: nothing is wrong with what is in it
            aside = self._move_aside()
            self.notes = (f"{self.path} was broken ({error}); moved to {aside.name}, a new one begun",)
            return self._opened(self.path)

    def _opened(self, where: Path | str) -> sqlite3.Connection:
        db = sqlite3.connect(where, timeout=WAIT_S, isolation_level=None)
        try:
            db.row_factory = sqlite3.Row
            if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("its pages do not fit together")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            self._migrate(db)
        except BaseException:
            db.close()
            raise
        return db

    def _migrate(self, db: sqlite3.Connection) -> None:
        if db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS):
            return
        with transaction(db):
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > len(MIGRATIONS):
                raise EnvironmentMissing(
                    f"{self.path} was written by a newer outpace (ledger version {version}, known here: "
                    f"{len(MIGRATIONS)}): upgrade outpace, or set OUTPACE_STATE to another folder"
                )
            for statements in MIGRATIONS[version:]:
                for statement in statements:
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _move_aside(self) -> Path:
        aside = self.path.with_name(f"{LEDGER}.broken-{time.strftime('%Y%m%d-%H%M%S')}")
        for suffix in ("", "-wal", "-shm"):
            part = self.path.with_name(LEDGER + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        return aside

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, OSError) as error:
            raise EnvironmentMissing(
                f"{self.path}: {error}: free some space or close the other outpace, or set OUTPACE_STATE to a folder "
                "that can be written"
            ) from error


def _finished(row: sqlite3.Row) -> Finished:
    return Finished(row["at"], row["key"], row["verdict"], json.loads(row["body"]))


def is_full(error: Exception) -> bool:
    """Whether it is for want of space that something could not be written."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    name = getattr(error, "sqlite_errorname", "")
    return name == "SQLITE_FULL" or name.startswith(("SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHM"))


@contextmanager
def _alone(path: Path) -> Generator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
