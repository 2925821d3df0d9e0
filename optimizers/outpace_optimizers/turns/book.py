"""The turns of one run in the ledger: whose they were, what each has brought, and what it took."""

from __future__ import annotations

import json
import time

from outpace_audit.records import Machine
from outpace_optimizers.ledger import Ledger
from outpace_optimizers.model.surroundings import Known
from outpace_optimizers.records import Asked, Turn
from outpace_optimizers.turns.choice import Seen

REMEMBERED = 1000
"""Turns of other runs, the newest: what is older was another project, or another outpace."""


def machine_of(machine: Machine) -> str:
    """Turns on other hardware, or with another torch, say little of this one."""
    return f"{machine.name}; torch {machine.torch}; triton {machine.triton}"


class TurnBook:
    """Of the last run on one `subject` (a target, what is asked of it, a machine), which goes on; `fresh`: of another.

    Choices are written down before they are followed, and taken again when the run is: so a model is asked the same
    questions in the same order, and answers that were paid for are found again.
    """

    def __init__(self, ledger: Ledger, subject: str, machine: Machine, *, fresh: bool) -> None:
        self._ledger = ledger
        self._machine = machine_of(machine)
        self.begun = time.time()
        """When this run was begun for the first time."""
        last = ledger.read("SELECT id, at FROM run WHERE subject = ? ORDER BY id DESC LIMIT 1", subject)
        if last and not fresh:
            self._run, self.begun = int(last[0]["id"]), float(last[0]["at"])
        else:
            self._run = ledger.write(
                "INSERT INTO run (at, subject, machine) VALUES (?, ?, ?)", self.begun, subject, self._machine
            )
        rows = ledger.read("SELECT number, proposer FROM choice WHERE run = ? ORDER BY id", self._run)
        self._chosen: dict[int, str] = {row["number"]: row["proposer"] for row in rows}

    def chosen(self, number: int) -> str | None:
        """Whose this turn was when it was taken before."""
        return self._chosen.get(number)

    def choose(self, number: int, proposer: str) -> None:
        if self._chosen.get(number) != proposer:
            self._chosen[number] = proposer
            statement = "INSERT INTO choice (run, number, proposer) VALUES (?, ?, ?)"
            self._ledger.write(statement, self._run, number, proposer)

    def asks(self, known: Known) -> None:
        """What a model is told: the verdicts that there are, and what is being measured, without one. Once for each
        question."""
        verdicts = json.dumps([trial.verdict.id for trial in known.tried])
        measuring = known.measuring.title if known.measuring is not None else None
        self._ledger.write(
            "INSERT INTO question (at, run, question, known, measuring) SELECT ?, ?, ?, ?, ? "
            "WHERE NOT EXISTS (SELECT 1 FROM question WHERE run = ? AND question = ?)",
            time.time(), self._run, known.question, verdicts, measuring, self._run, known.question,
        )  # fmt: skip

    def took(self, turn: Turn) -> None:
        asked = turn.asked
        self._ledger.write(
            "INSERT INTO turn (at, run, machine, proposer, judged, won, factor, seconds, asked_s, tokens, dollars) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            time.time(), self._run, self._machine, turn.proposer, turn.judged, turn.won, turn.factor, turn.seconds,
            asked.seconds, asked.tokens, asked.dollars,
        )  # fmt: skip

    def seen(self) -> list[Seen]:
        """The turns of this run, and the newest of others on this machine."""
        columns = "proposer, judged, won, factor, seconds, asked_s, tokens, dollars"
        mine = self._ledger.read(f"SELECT {columns} FROM turn WHERE run = ? ORDER BY id", self._run)
        others = self._ledger.read(
            f"SELECT {columns} FROM turn WHERE machine = ? AND run IS NOT ? ORDER BY id DESC LIMIT ?",
            self._machine, self._run, REMEMBERED,
        )  # fmt: skip
        return [
            Seen(
                Turn(
                    row["proposer"], row["judged"], row["won"], row["factor"], row["seconds"],
                    Asked(row["asked_s"], row["tokens"], row["dollars"]),
                ),
                own,
            )
            for own, rows in ((True, mine), (False, others))
            for row in rows
        ]  # fmt: skip
