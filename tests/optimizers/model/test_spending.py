from __future__ import annotations

import contextlib
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from outpace_audit.errors import ModelError
from outpace_optimizers.model.client import Answer, Price
from outpace_optimizers.model.conversation import worst_case_tokens
from outpace_optimizers.model.spending import FILE, Spending
from outpace_optimizers.records import ModelRequest

REPLY = Answer("reply", False, None, None)
LIMITS = ModelRequest("openai/x", dollars_per_run=1.0, dollars_per_day=2.0, tokens_per_run=1000, tokens_per_day=1500)


def test_what_is_committed_counts_until_it_is_settled(tmp_path: Path) -> None:
    with Spending(tmp_path) as spending:
        call = spending.commit("run", LIMITS, "q", 100, 0.8)
        with pytest.raises(ModelError, match=r"money: \$0.8000 of \$1.00 a run"):
            spending.commit("run", LIMITS, "q", 100, 0.3)
        spending.settle(call, 50, 0.1, REPLY)
        spending.commit("run", LIMITS, "r", 100, 0.3)
        assert (spending.of_run("run").tokens, spending.of_run("run").calls) == (150, 2)
        assert spending.remembered("q") == REPLY
        assert spending.remembered("r") is None


def test_a_call_of_a_killed_run_stays_at_its_worst_case(tmp_path: Path) -> None:
    with Spending(tmp_path) as spending:
        spending.commit("killed", LIMITS, "q", 900, 0.0)
    with Spending(tmp_path) as spending:
        assert spending.today().tokens == 900
        with pytest.raises(ModelError, match="tokens: 900 of 1500 a day"):
            spending.commit("next", LIMITS, "q", 700, 0.0)


def test_what_was_refused_and_not_charged_counts_nothing(tmp_path: Path) -> None:
    with Spending(tmp_path) as spending:
        spending.settle(spending.commit("run", LIMITS, "q", 900, 0.9), 0, 0.0, None)
        assert spending.of_run("run") == spending.of_run("none")


def test_two_at_once_do_not_pass_the_limit_together(tmp_path: Path) -> None:
    Spending(tmp_path).__exit__()
    made: list[int] = []

    def spend(run: str) -> None:
        with Spending(tmp_path) as spending:
            for _ in range(20):
                try:
                    made.append(spending.commit(run, LIMITS, "q", 100, 0.0))
                except ModelError:
                    return

    threads = [threading.Thread(target=spend, args=(f"run {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 15, "1500 tokens a day, 100 a call"


def test_a_broken_file_stops_the_spending_and_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 100)
    with pytest.raises(ModelError, match="cannot be counted, so none is asked"):
        Spending(tmp_path)
    assert (tmp_path / FILE).read_bytes().startswith(b"no database")


def test_the_worst_case_is_a_token_for_each_byte() -> None:
    assert worst_case_tokens([{"role": "user", "content": "é" * 10}]) >= 20
    assert Price(1e-6, 2e-6, None).dollars(10, 10) == pytest.approx(3e-5)
    assert Price(None, 2e-6, None).dollars(10, 10) is None


def test_a_run_that_was_not_ended_goes_on_and_one_that_was_is_followed_by_another(tmp_path: Path) -> None:
    with Spending(tmp_path) as spending:
        first = spending.begin("target", ["a"], fresh=False)
        spending.commit(first.name, LIMITS, "q", 900, 0.0)
    with Spending(tmp_path) as spending:
        again = spending.begin("target", ["b"], fresh=False)
        assert (again.name, again.lessons, again.goes_on) == (first.name, ("a",), True)
        with pytest.raises(ModelError, match="tokens: 900 of 1000 a run"):
            spending.commit(again.name, LIMITS, "r", 200, 0.0)
        spending.end(again.name, "plateau")
        second = spending.begin("target", ["b"], fresh=False)
        assert (second.lessons, second.goes_on) == (("a",), False)
        assert not spending.begin("another", [], fresh=False).goes_on
        fresh = spending.begin("target", ["b"], fresh=True)
        assert (fresh.lessons, fresh.goes_on) == (("b",), False)
        assert len({first.name, second.name, fresh.name}) == 3


def test_a_file_of_the_version_before_is_taken_over(tmp_path: Path) -> None:
    with Spending(tmp_path) as spending:
        spending.settle(spending.commit("run", LIMITS, "q", 10, 0.0), 5, 0.0, REPLY)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.executescript(
            "DROP INDEX call_account; ALTER TABLE call DROP COLUMN account; DROP TABLE run;"
            "ALTER TABLE call DROP COLUMN cut; ALTER TABLE call DROP COLUMN missing"
        )
        db.execute("PRAGMA user_version = 1")
    with Spending(tmp_path) as spending:
        assert spending.remembered("q") == REPLY
        assert not spending.begin("target", [], fresh=False).goes_on


def test_runs_with_one_account_share_what_a_run_may_cost(tmp_path: Path) -> None:
    night = replace(LIMITS, account="night")
    with Spending(tmp_path) as spending:
        spending.settle(spending.commit("first", night, "q", 600, 0.1), 600, 0.1, REPLY)
        with pytest.raises(ModelError, match="tokens: 600 of 1000 a run"):
            spending.commit("second", night, "r", 500, 0.0)
        spending.commit("second", LIMITS, "r", 500, 0.0)
        assert (spending.of_account("night").tokens, spending.of_account("night").dollars) == (600, 0.1)


def test_a_reply_without_use_was_paid_for_too_and_is_kept_with_what_was_wrong(tmp_path: Path) -> None:
    for reply in (Answer('{"title": "a', True, None, None), Answer("", False, None, None, "the model refused: no")):
        with Spending(tmp_path) as spending:
            spending.settle(spending.commit("run", LIMITS, reply.text, 10, 0.0), 5, 0.0, reply)
        with Spending(tmp_path) as spending:
            assert spending.remembered(reply.text) == reply
