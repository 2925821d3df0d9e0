"""Rules and a model that asks ahead in one run: made-up verdicts, litellm against a scripted server, a real ledger."""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from made_up import MACHINE, FakeSession, change
from model_server import Held, ModelServer, Reply, Silence, idea, serving
from outpace_audit.records import Idea
from outpace_optimizers.ledger import Ledger
from outpace_optimizers.model import consent
from outpace_optimizers.model.client import ModelProcess
from outpace_optimizers.proposers.bench import Proposer
from outpace_optimizers.proposers.model_ideas import ModelIdeas
from outpace_optimizers.proposers.rule_ideas import RuleIdeas
from outpace_optimizers.records import Event, ModelRequest, OptimizeRequest, Report, TurnTaken
from outpace_optimizers.run import Run
from outpace_optimizers.workspace import Workspace

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("litellm") is None, reason="litellm is not installed: pip install 'outpace[model]'"
)
PATIENCE_S = 60.0
MODEL = "openai/scripted"


def part(number: int) -> str:
    return idea((f"return x + {number}", f"return {number} + x"), title=f"model's {number}")


class Project:
    """A folder with its ledger. Each `run` has two ideas of rules and a model, which is asked whenever it can be."""

    def __init__(self, folder: Path, ledger: Ledger, gains: dict[int, float]) -> None:
        self.session = FakeSession(ledger, gains, workspace=Workspace(folder))
        code = replace(self.session.target.code, path=str(folder / "a.py"))
        self.session.target = replace(self.session.target, code=code)
        self.ledger = ledger
        self.events: list[Event] = []

    def run(self, budget_s: float = 600.0, **limits: float) -> Report:
        self.events.clear()
        request = ModelRequest(MODEL, ahead=True, **limits)  # type: ignore[arg-type]
        consent.give(request, self.session.workspace)
        wanted = OptimizeRequest(self.session.target.code.path, budget_s=budget_s, model=request)
        one = Run(self.session, wanted, self.events.append)  # type: ignore[arg-type]

        self.bench = one.bench

        def proposers(winners: object, begun: float) -> list[Proposer]:
            one._model = ModelIdeas(one.bench, request, [], one._book.asks)
            return [RuleIdeas("rules", one.bench, [change(0), change(1)], 2), one._model]

        one.proposers = proposers  # type: ignore[method-assign]
        return one.report()

    def chosen(self) -> list[str]:
        return [row["proposer"] for row in self.ledger.read("SELECT proposer FROM choice ORDER BY id")]

    def known(self) -> list[tuple[int, str | None]]:
        """How many verdicts each question could tell, and what was being measured."""
        rows = self.ledger.read("SELECT known, measuring FROM question ORDER BY id")
        return [(len(json.loads(row["known"])), row["measuring"]) for row in rows]

    def turns(self) -> list[tuple[str, int, int]]:
        """Whose each was, its trials and its tokens."""
        turns = [event.turn for event in self.events if isinstance(event, TurnTaken)]
        return [(one.proposer, one.judged, one.asked.tokens) for one in turns]


def titles(report: Report) -> list[str]:
    return [trial.idea.title.partition(" (by")[0] for trial in report.trials]


class Lasting:
    """The one process of all tests, which no run ends."""

    def __init__(self, process: ModelProcess) -> None:
        self.price, self.complete = process.price, process.complete

    def close(self) -> None:
        pass


@pytest.fixture
def lasting(process: ModelProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outpace_optimizers.model.search.ModelProcess", lambda: Lasting(process))


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Ledger]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setattr("outpace_optimizers.run.choose", lambda ready, seen, budgets: ready[-1])
    Workspace(tmp_path).prepare()
    with Ledger(Workspace(tmp_path).state) as opened:
        yield opened


@contextmanager
def project(
    folder: Path, ledger: Ledger, *replies: Reply, gains: dict[int, float] | None = None
) -> Generator[tuple[Project, ModelServer]]:
    with serving(*replies) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_BASE", server.url)
        yield Project(folder, ledger, gains or {}), server


@pytest.mark.usefixtures("lasting")
def test_rules_are_measured_while_a_reply_is_awaited(tmp_path: Path, ledger: Ledger) -> None:
    held = Held(part(2))
    with project(tmp_path, ledger, held, part(3), gains={2: 1.5}) as (one, server):

        def before(idea: Idea) -> None:
            if idea.title == "part 1":
                assert held.heard.wait(PATIENCE_S) and not held.go.is_set()
                held.go.set()

        one.session.before = before
        report = one.run(ideas=2)
        assert titles(report) == ["part 0", "part 1", "model's 2", "model's 3"]
        assert one.chosen()[0] == "model", "it was asked first, and not waited for"
        assert one.known() == [(0, None), (2, "model's 2 (by openai/scripted)"), (3, "model's 3 (by openai/scripted)")]
        assert len(server.questions) == 2
        assert one.turns() == [("rules", 1, 0), ("rules", 1, 0), ("model", 1, 1100), ("model", 1, 1100)], (
            "a reply is paid for by the turn that has it"
        )


def test_a_model_that_hangs_keeps_nobody_from_work_and_nobody_waiting_beyond_the_budget(
    tmp_path: Path, ledger: Ledger
) -> None:
    silence = Silence()
    with project(tmp_path, ledger, silence) as (one, server):

        def before(idea: Idea) -> None:
            if idea.title == "part 1":
                assert silence.heard.wait(PATIENCE_S)
                one.bench._deadline = time.monotonic() + 0.5

        one.session.before = before
        report = one.run()
    assert titles(report) == ["part 0", "part 1"]
    assert report.stop == "the time budget is spent" and report.ending == "time"
    assert len(server.questions) == 1
    assert report.spend is not None and report.spend.tokens > 8_000, "it may be charged"
    assert one.turns() == [("rules", 1, 0), ("rules", 1, 0)]


@pytest.mark.usefixtures("lasting")
def test_a_run_that_is_started_again_asks_the_same_and_tries_it_in_the_same_order(
    tmp_path: Path, ledger: Ledger
) -> None:
    """Killed while a reply is awaited and another idea is measured. The replies then come at once."""
    held = Held(part(2))
    with project(tmp_path, ledger, held, part(3), gains={1: 1.2, 2: 1.5}) as (one, server):

        def killed(idea: Idea) -> None:
            if idea.title == "part 1":
                held.go.set()
            if idea.title.startswith("model's 3"):
                raise KeyboardInterrupt

        one.session.before = killed
        with pytest.raises(KeyboardInterrupt):
            one.run(ideas=2)
        chosen, known = one.chosen(), one.known()
        one.session.before = lambda idea: None
        report = one.run(ideas=2)
        assert titles(report) == ["part 0", "part 1", "model's 2", "model's 3"]
        assert one.chosen()[: len(chosen)] == chosen and one.known()[: len(known)] == known
        assert len(server.questions) == 2, "both replies were there already"
        assert report.spend is not None and (report.spend.calls, report.spend.remembered) == (2, 2)

        again = one.run(ideas=2)
        assert titles(again) == titles(report) and not one.turns()


@pytest.mark.usefixtures("lasting")
def test_near_the_floor_the_reply_that_is_under_way_is_not_measured(tmp_path: Path, ledger: Ledger) -> None:
    with project(tmp_path, ledger, part(2), part(3), gains={2: 1.5}) as (one, server):
        machine = replace(MACHINE, device="cuda", ceilings={"peak_bytes_per_s": 1e9})
        one.session.machine = machine
        one.session.facts = {"workloads": [{"workload": {"label": "w"}, "unavoidable_bytes": 1_000_000}]}
        report = one.run()
    assert report.stop.startswith("near the floor: ")
    assert len(report.trials) == 1, "a call takes 1 ms, and so do its bytes"
    assert len(server.questions) <= 2
