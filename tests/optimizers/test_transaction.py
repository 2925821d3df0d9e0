"""All of it, or nothing, and what went wrong is said as it was."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from outpace_optimizers.transaction import transaction


@pytest.fixture
def db(tmp_path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(tmp_path / "file.sqlite", isolation_level=None)
    db.execute("CREATE TABLE number (value)")
    return db


def values(db: sqlite3.Connection) -> list[int]:
    return [value for (value,) in db.execute("SELECT value FROM number")]


def test_what_is_written_stays(db: sqlite3.Connection) -> None:
    with transaction(db):
        db.execute("INSERT INTO number VALUES (1)")
    assert values(db) == [1] and not db.in_transaction


def test_what_broke_off_is_gone(db: sqlite3.Connection) -> None:
    with pytest.raises(KeyError), transaction(db):
        db.execute("INSERT INTO number VALUES (1)")
        raise KeyError
    assert values(db) == [] and not db.in_transaction


def test_an_error_that_has_ended_the_transaction_is_the_one_that_is_told(db: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="disk is full"), transaction(db):
        db.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")
    assert not db.in_transaction
