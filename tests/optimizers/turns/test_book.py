from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from outpace_audit.records import Idea, Machine, Patch
from outpace_optimizers.ledger import Ledger
from outpace_optimizers.model.surroundings import Known
from outpace_optimizers.records import Asked, Turn
from outpace_optimizers.turns.book import TurnBook

MACHINE = Machine("cpu", "CPU", "", "CPU", 2, "3.11", "2.13", None, None, None)
TURN = Turn("model", 2, 1, 1.3, 12.5, Asked(3.0, 1100, 0.02))


def test_a_run_that_is_started_again_takes_the_turns_that_it_took_and_a_fresh_one_its_own(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        book = TurnBook(ledger, "a target", MACHINE, fresh=False)
        for number, name in enumerate(("rules", "model", "rules")):
            book.choose(number, name)
        book.choose(1, "tuner")  # the model was not there any more
    with Ledger(tmp_path) as ledger:
        again = TurnBook(ledger, "a target", MACHINE, fresh=False)
        assert [again.chosen(number) for number in range(4)] == ["rules", "tuner", "rules", None]
        other = TurnBook(ledger, "another", MACHINE, fresh=False)
        fresh = TurnBook(ledger, "a target", MACHINE, fresh=True)
        assert other.chosen(0) is None and fresh.chosen(0) is None
        fresh.choose(0, "model")
        assert TurnBook(ledger, "a target", MACHINE, fresh=False).chosen(0) == "model"


def test_what_a_question_could_tell_is_written_down_once(tmp_path: Path) -> None:
    patch = Patch("/p/a.py", "base", "x", ())
    known = Known("q", (), Idea("model", "an idea", "r", "exact", patch))
    with Ledger(tmp_path) as ledger:
        for _ in range(2):
            TurnBook(ledger, "a target", MACHINE, fresh=False).asks(known)
        TurnBook(ledger, "a target", MACHINE, fresh=True).asks(replace(known, measuring=None))
        rows = ledger.read("SELECT question, known, measuring FROM question ORDER BY id")
        assert [tuple(row) for row in rows] == [("q", "[]", "an idea"), ("q", "[]", None)]


def test_turns_are_seen_by_other_runs_on_the_same_machine_only(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        book = TurnBook(ledger, "a target", MACHINE, fresh=False)
        book.took(TURN)
        assert [(one.turn, one.own) for one in book.seen()] == [(TURN, True)]
        other = TurnBook(ledger, "another", MACHINE, fresh=False)
        assert [(one.turn, one.own) for one in other.seen()] == [(TURN, False)]
        assert not TurnBook(ledger, "another", replace(MACHINE, torch="2.14"), fresh=False).seen()
