"""Turns of one run: made-up proposers and verdicts, a real ledger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from made_up import MACHINE, FakeSession, change
from outpace_audit.records import Code, Idea, Machine, Patch, Span, Verdict, Workload
from outpace_optimizers.costs import TimedListener
from outpace_optimizers.ledger import Ledger
from outpace_optimizers.proposers.bench import Bench, Proposer
from outpace_optimizers.proposers.combining import Combining
from outpace_optimizers.proposers.rule_ideas import RuleIdeas
from outpace_optimizers.records import Event, OptimizeRequest, Report, StageEvent, Target, Turn, TurnTaken
from outpace_optimizers.rules.registry import ideas
from outpace_optimizers.run import Run
from outpace_optimizers.stored_trial import StoredTrial, Winner
from outpace_optimizers.turns.book import TurnBook


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    with Ledger(tmp_path) as opened:
        yield opened


def run(
    session: FakeSession,
    make: Callable[[Bench], list[Proposer]],
    events: list[Event] | None = None,
    budget_s: float = 600.0,
) -> Report:
    heard = events if events is not None else []
    one = Run(session, OptimizeRequest("/p/a.py", budget_s=budget_s), heard.append)  # type: ignore[arg-type]
    one.proposers = lambda winners, begun: make(one.bench)  # type: ignore[method-assign]
    return one.report()


def two(bench: Bench) -> list[Proposer]:
    """Rules that win nothing, and in the place of a model something that does."""
    return [
        RuleIdeas("rules", bench, [change(0), change(1)], 4),
        RuleIdeas("model", bench, [change(2, "model"), change(3, "model")], 4),
    ]


def turns_of(events: list[Event]) -> list[tuple[str, int, int]]:
    turns = [event.turn for event in events if isinstance(event, TurnTaken)]
    return [(one.proposer, one.judged, one.won) for one in turns]


def test_a_run_that_is_started_again_takes_the_same_turns_though_it_knows_better_by_now(ledger: Ledger) -> None:
    session = FakeSession(ledger, {2: 1.5, 3: 2.0})
    first: list[Event] = []
    report = run(session, two, first)
    assert report.stop == "no ideas left" and report.ending == "done"
    order = [trial.idea.title for trial in report.trials]
    assert order[0] == "part 0" and len(order) == 4
    assert sorted(turns_of(first)) == [("model", 1, 1)] * 2 + [("rules", 1, 0)] * 2

    other = TurnBook(ledger, "another target", MACHINE, fresh=False)
    for one in (event.turn for event in first if isinstance(event, TurnTaken)):
        for _ in range(5):
            other.took(one)
    again: list[Event] = []
    report = run(session, two, again)
    assert [trial.idea.title for trial in report.trials] == order
    assert len(session.tried) == 4 and not turns_of(again), "what is known is no turn, and costs nothing"

    elsewhere = FakeSession(ledger, {2: 1.5})
    elsewhere.turn_book = lambda: TurnBook(ledger, "a third", MACHINE, fresh=False)  # type: ignore[method-assign]
    assert run(elsewhere, two).trials[0].idea.rule == "model", "what won before is tried first on the next target"


def test_killed_in_a_turn_it_goes_on_with_that_turn(ledger: Ledger) -> None:
    session = FakeSession(ledger, {2: 1.5})

    def killed(idea: Idea) -> None:
        if idea.rule == "model":
            raise KeyboardInterrupt

    session.before = killed
    with pytest.raises(KeyboardInterrupt):
        run(session, two)
    chosen = TurnBook(ledger, "subject", MACHINE, fresh=False)
    number = len(session.tried)
    assert chosen.chosen(number) == "model"
    for _ in range(20):  # meanwhile rules win everywhere
        TurnBook(ledger, "another", MACHINE, fresh=False).took(Turn("rules", 1, 1, 3.0, 1.0))
    session.before = lambda idea: None
    report = run(session, two)
    assert report.trials[number].idea.rule == "model"


def test_without_time_what_is_known_is_reported_and_the_rest_is_counted(ledger: Ledger) -> None:
    session = FakeSession(ledger, {})
    run(session, lambda bench: [RuleIdeas("rules", bench, [change(0), change(2)], 2)])
    report = run(session, two, budget_s=-1.0)
    assert [trial.idea.title for trial in report.trials] == ["part 0", "part 2"]
    assert "the time budget is spent, 2 of" in report.stop and report.ending == "time"


def test_near_the_floor_nothing_more_is_tried_and_the_reason_is_said(ledger: Ledger) -> None:
    ceilings = {"peak_bytes_per_s": 1e9}
    session = FakeSession(ledger, {0: 1.2})
    session.machine = Machine("cuda", "G", "u", "CPU", 2, "3.11", "2.13", None, None, None, ceilings)
    session.facts = {"workloads": [{"workload": {"label": "w"}, "unavoidable_bytes": 1_000_000}]}
    report = run(session, two)
    assert [trial.idea.title for trial in report.trials] == ["part 0"], "a call takes 1 ms, and so do its bytes"
    assert report.stop.startswith("near the floor: ") and report.stop.endswith("3 of 0 ideas not tried")
    assert report.ending == "done"


def combined(bench: Bench) -> list[Proposer]:
    return [RuleIdeas("rules", bench, [change(n) for n in range(4)], 4), Combining(bench, {})]


def test_accepted_ideas_are_stacked_as_they_come_and_none_twice(ledger: Ledger) -> None:
    session = FakeSession(ledger, {0: 1.2, 1: 1.5, 3: 1.1})
    events: list[Event] = []
    report = run(session, combined, events)
    best = report.best
    assert best is not None and {span.qualname for span in best.idea.patch.spans} == {"part0", "part1", "part3"}
    assert len(session.tried) == len(set(session.tried))
    factors = [event.turn.factor for event in events if isinstance(event, TurnTaken) and event.turn.factor > 1]
    product = 1.0
    for factor in factors:
        product *= factor
    assert product == pytest.approx(1.2 * 1.5 * 1.1), "gains of turns multiply to that of the run"


def test_a_partner_that_makes_it_worse_is_not_tried_again_on_what_the_best_becomes(ledger: Ledger) -> None:
    session = FakeSession(ledger, {0: 1.2, 1: 1.5, 2: 1.1})
    gains = dict(session.gains)

    def clash(idea: Idea) -> None:
        parts = [n for n in range(4) if f"return {n} + x" in idea.patch.new_source]
        session.gains = gains | ({2: 0.6} if len(parts) > 1 else {})

    session.before = clash
    report = run(session, combined)
    assert sum("part 2" in trial.idea.title and "+" in trial.idea.rule for trial in report.trials) <= 2
    assert report.best is not None and report.best.verdict.speedup == pytest.approx(1.8)


def test_waiting_for_others_on_the_device_is_no_cost_of_a_turn(ledger: Ledger) -> None:
    session, now, events = FakeSession(ledger, {2: 1.5}), [100.0], list[Event]()
    heard = TimedListener(events.append, lambda: now[0])

    def waits(idea: Idea) -> None:
        """As a session tells of it: to the listener that both were given."""
        now[0] += 2.0
        heard(StageEvent("waiting for the device", waiting=True))
        now[0] += 500.0
        heard(StageEvent("timing"))
        now[0] += 3.0

    session.before = waits
    one = Run(session, OptimizeRequest("/p/a.py", budget_s=600.0), heard)  # type: ignore[arg-type]
    one.proposers = lambda winners, begun: two(one.bench)  # type: ignore[method-assign]
    one.report()
    assert [event.turn.seconds for event in events if isinstance(event, TurnTaken)] == [5.0] * 4


LOOPS = """import torch


def {name}(q, k):
    rows = []
    for row in range(q.shape[0]):
        rows.append(q[row] @ k[row])
    return torch.stack(rows)


def get_inputs():
    return [torch.randn(4, 8, 8), torch.randn(4, 8, 8)]
"""


def winner(rule: str, new: str, at: float) -> Winner:
    """On `first`, whose loop is that of `second`."""
    text = LOOPS.format(name="first")
    patch = Patch(
        "/p/first.py",
        "base",
        text.replace(text[text.index("    rows") : text.index("\n\ndef get")], new),
        (Span("first"),),
    )
    verdict = Verdict("won", True, "", "exact", "L4", 2.0, (1.9, 2.1), (), (), MACHINE, (), False, "")
    idea = Idea(rule, "one product", "r", "tolerant", patch, "model a/b")
    target = Target(Code("/p/first.py", text, "first", "function"), (Workload("w", "get_inputs", "declared"),))
    return Winner(at, StoredTrial(target, idea, verdict, False, "tolerant", 0, False, "", False))


@pytest.mark.parametrize("skip", [(), ("carried",)])
def test_what_won_on_a_like_target_is_tried_first_with_an_audit_of_its_own(
    ledger: Ledger, skip: tuple[str, ...]
) -> None:
    session = FakeSession(ledger, {})
    session.target = Target(
        Code("/p/b.py", LOOPS.format(name="second"), "second", "function"), session.target.workloads
    )
    won = winner("model", "    return torch.bmm(q, k)\n", 1.0)
    session.winners = lambda: [won]  # type: ignore[method-assign]
    events: list[Event] = []
    request = OptimizeRequest("/p/b.py", budget_s=600.0, skip=("tuner", "torch-compile", *skip))
    report = Run(session, request, events.append).report()  # type: ignore[arg-type]
    carried = [trial for trial in report.trials if trial.idea.rule == "carried"]
    if skip:
        assert not carried
        return
    assert report.trials[0] is carried[0] and len(session.tried) == len(report.trials)
    assert carried[0].idea.patch.new_source == LOOPS.format(name="second").replace(
        LOOPS[LOOPS.index("    rows") : LOOPS.index("\n\ndef get")], "    return torch.bmm(q, k)\n"
    )
    assert carried[0].idea.proposer == "model a/b" and "as on first of first.py" in carried[0].idea.title


def test_a_likely_rule_goes_first_unless_it_won_after_this_run_was_begun(ledger: Ledger) -> None:
    session = FakeSession(ledger, {})
    session.target = Target(
        Code("/p/b.py", LOOPS.format(name="second"), "second", "function"), session.target.workloads
    )
    one = Run(session, OptimizeRequest("/p/b.py", skip=("tuner", "torch-compile")), lambda event: None)  # type: ignore[arg-type]
    rules = {idea.rule for idea in ideas(session.target.code, list(one.rules.values())).ideas}
    assert "loop-to-batch" in rules
    won = winner("loop-to-batch", "    return torch.bmm(q, k)\n", 50.0)
    for begun, first in ((100.0, True), (10.0, False)):
        carried = one.proposers([won], begun)[0]
        assert carried.name == "carried" and carried.ready == first
