"""A question that is under way while an idea is measured: litellm against a scripted server whose replies are held."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from test_search import FACTS, PLATEAU, SLOW, SOURCE, WRONG, number, target_in, verdict

from model_server import Held, ModelServer, Refusal, Reply, idea, serving
from outpace_audit.records import Idea, Verdict
from outpace_optimizers.model import consent, conversation
from outpace_optimizers.model.asking import Asking
from outpace_optimizers.model.client import ModelProcess, Price, is_served_here
from outpace_optimizers.model.conversation import Conversation
from outpace_optimizers.model.search import FIXES, ModelSearch
from outpace_optimizers.model.spending import Spending
from outpace_optimizers.model.surroundings import Known, Surroundings
from outpace_optimizers.records import ModelRequest, Trial
from outpace_optimizers.workspace import Workspace

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("litellm") is None, reason="litellm is not installed: pip install 'outpace[model]'"
)
PATIENCE_S = 60.0
MODEL = "openai/scripted"


class Ran:
    """A search that asks ahead; `over` says why it is to stop."""

    def __init__(self, judge: Callable[[Idea], Verdict | None], left_s: Callable[[], float] = lambda: PATIENCE_S):
        self.tried: list[Trial] = []
        self.known: list[tuple[int, str]] = []
        self.over = ""
        self._judge = judge
        self.around = Surroundings(
            lambda: self.tried, self._judged, lambda: self.over, lambda text: None, left_s, self._record
        )

    def _judged(self, one: Idea) -> Trial | None:
        found = self._judge(one)
        if found is not None:
            self.tried.append(Trial(f"t{len(self.tried)}", "work", one, found, "", ""))
        return self.tried[-1] if found is not None else None

    def _record(self, known: Known) -> None:
        self.known.append((len(known.tried), known.measuring.title if known.measuring else ""))

    @property
    def titles(self) -> list[str]:
        return [trial.idea.title.partition(" (by")[0] for trial in self.tried]


def said(books: Spending, asking: Asking) -> str | None:
    kept = books.remembered(asking.question)
    return None if kept is None else kept.text


@contextmanager
def asking_ahead(
    folder: Path, process: ModelProcess, ran: Ran, *replies: Reply, **limits: float
) -> Generator[tuple[ModelSearch, ModelServer]]:
    request = ModelRequest(MODEL, ahead=True, **limits)  # type: ignore[arg-type]
    with serving(*replies) as server, pytest.MonkeyPatch.context() as patch, Spending(folder) as spending:
        patch.setenv("OPENAI_API_BASE", server.url)
        talk = Conversation(request, process, spending, fresh=False)
        yield ModelSearch(request, target_in(folder), FACTS, talk, ran.around), server


def test_the_next_reply_is_awaited_while_an_idea_is_measured_and_says_so(tmp_path: Path, process: ModelProcess) -> None:
    held = Held(number(3))
    overlapped: list[bool] = []

    def judge(one: Idea) -> Verdict:
        if one.title.startswith("number 2"):
            overlapped.append(held.heard.wait(PATIENCE_S))
            overlapped.append(search.waits)
            held.go.set()
        return verdict(SLOW)

    ran = Ran(judge)
    with asking_ahead(tmp_path, process, ran, number(2), held, ideas=2) as (search, server):
        assert search.run() == "the model was asked 2 times, the limit of a run"
        assert overlapped == [True, True] and ran.titles == ["number 2", "number 3"]
        assert ran.known == [(0, ""), (0, f"number 2 (by {MODEL})"), (1, f"number 3 (by {MODEL})")]
        first, second = server.prompts
        assert "Being measured at this moment" not in first
        assert f"not known yet:\nnumber 2 (by {MODEL}) (model)\n" in second
        assert "rejected: " not in second, "a verdict that there was not"


def test_a_repair_is_asked_for_while_the_next_idea_is_measured(tmp_path: Path, process: ModelProcess) -> None:
    outcomes = iter([verdict(WRONG), verdict(WRONG), verdict(None, 1.5), verdict(SLOW)])
    ran = Ran(lambda one: next(outcomes))
    replies = [number(2), number(3), "prose", number(4), number(5)]
    with asking_ahead(tmp_path, process, ran, *replies, ideas=5) as (search, server):
        search.run()
        lengths = [len(question["messages"]) for question in server.questions]
    assert ran.titles == ["number 2", "number 3", "number 4", "number 5"]
    assert lengths == [2, 2, 4, 4, 4], "an idea, the next, a repair of the one, one of the other, another of the one"
    assert [answered["messages"][2]["content"] for answered in server.questions[2:]] == [number(2), number(3), "prose"]


@pytest.mark.parametrize("check", [SLOW, WRONG], ids=["slow", "wrong"])
def test_no_reply_is_paid_for_that_a_plateau_would_leave(tmp_path: Path, process: ModelProcess, check: object) -> None:
    ran = Ran(lambda one: verdict(check))  # type: ignore[arg-type]
    with asking_ahead(tmp_path, process, ran, *map(number, range(2, 40)), ideas=50) as (search, server):
        assert search.run().startswith("plateau: ")
        each = 1 if check is SLOW else 1 + FIXES
        assert len(ran.tried) == len(server.questions) == len(ran.known) == each * PLATEAU


def test_money_for_a_reply_that_is_under_way_is_spent(tmp_path: Path, process: ModelProcess) -> None:
    """A limit that a question ahead would pass ends it after the idea that is measured has its verdict."""
    gains = iter(range(2, 20))
    ran = Ran(lambda one: verdict(None, next(gains)))
    limits = {"tokens_per_run": 12_500, "reply_tokens": 4_000}
    with asking_ahead(tmp_path, process, ran, *map(number, range(2, 12)), **limits) as (search, server):
        stop = search.run()
        spend = search.spend()
    assert "tokens: " in stop and "a run are spent, and the next reply may take" in stop
    assert len(ran.tried) == len(server.questions) == spend.calls
    assert 0 < spend.tokens <= 12_500


def test_a_reply_that_outlasts_the_budget_is_not_waited_for(tmp_path: Path, process: ModelProcess) -> None:
    held = Held(number(2))

    def out_of_time() -> float:
        assert held.heard.wait(PATIENCE_S)
        ran.over = "the time budget is spent"
        return 0.0

    ran = Ran(lambda one: verdict(None, 1.5), out_of_time)
    with asking_ahead(tmp_path, process, ran, held) as (search, _):
        assert search.run() == "the time budget is spent"
        assert search.waits and not ran.tried
        assert search.spend().tokens > 8_000, "at its worst, since it may be charged"
        held.go.set()
        assert under_way(search).wait(PATIENCE_S, print)
        assert search.spend().tokens == 1100, "as it came to in the end"
        assert search.asked.tokens == 0, "of no turn"
    later = Ran(lambda one: verdict(None, 1.5))
    with asking_ahead(tmp_path, process, later) as (search, server):
        search.run()
    assert not ran.tried and later.titles == ["number 2"], "the next run has it"
    assert all("Being measured" in prompt for prompt in server.prompts), "it is not asked for again"


def test_a_reply_that_came_too_late_to_be_measured_is_kept(tmp_path: Path, process: ModelProcess) -> None:
    def enough() -> float:
        held.go.set()
        assert under_way(search).wait(PATIENCE_S, print)
        ran.over = "the time budget is spent"
        return PATIENCE_S

    held, ran = Held(number(2)), Ran(lambda one: verdict(None, 1.5), enough)
    with asking_ahead(tmp_path, process, ran, held) as (search, _):
        assert search.run() == "the time budget is spent"
    assert not ran.tried
    with Spending(tmp_path) as books:
        assert books.today().tokens == 1100 and said(books, under_way(search)) == number(2)


def under_way(search: ModelSearch) -> Asking:
    assert search._under_way is not None
    return search._under_way[1]


def opened(folder: Path, ran: Ran) -> Callable[[], AbstractContextManager[ModelSearch]]:
    """Once the server is there: what is agreed to holds for its address."""
    workspace, request = Workspace(folder), ModelRequest(MODEL, ahead=True, ideas=2)
    workspace.prepare()
    consent.give(request, workspace)
    return lambda: ModelSearch.of(request, target_in(folder), FACTS, workspace, ran.around, fresh=False)


def test_a_run_that_is_ended_waits_for_nothing_and_the_next_has_the_reply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(number(3))
    stopped = threading.Event()

    def interrupted(one: Idea) -> Verdict:
        assert held.heard.wait(PATIENCE_S)
        if not stopped.is_set():
            raise KeyboardInterrupt
        return verdict(SLOW)

    ran = Ran(interrupted)
    with serving(number(2), held) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
        monkeypatch.setenv("OPENAI_API_BASE", server.url)
        search = opened(tmp_path, ran)
        with pytest.raises(KeyboardInterrupt), search() as one:
            one.run()
        assert not held.go.is_set(), "nobody has waited for it"
        stopped.set()
        (late,) = conversation._late.values()
        with search() as again:
            turns = again.turns()
            next(turns)
            next(turns)
            assert again.waits and under_way(again) is late, "the same reply is waited for again"
            held.go.set()
            while next(turns, False):
                pass
        assert ran.titles == ["number 2", "number 3"]
        assert len(server.questions) == 2 and not conversation._late


def test_a_late_reply_is_booked_and_kept_and_its_process_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held, ran = Held(number(2)), Ran(lambda one: verdict(SLOW))
    with serving(held) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
        monkeypatch.setenv("OPENAI_API_BASE", server.url)
        with opened(tmp_path, ran)() as search:
            next(search.turns())
            assert held.heard.wait(PATIENCE_S)
        (late,) = conversation._late.values()
        process = search._talk._process
        assert process.running, "for the reply"
        held.go.set()
        late._thread.join(PATIENCE_S)
        assert not process.running and not conversation._late
    assert not ran.tried
    with Spending(Workspace(tmp_path).state) as books:
        assert books.today().tokens == 1100 and said(books, late) == number(2)


def test_a_question_that_is_left_before_it_was_sent_is_never_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library is imported for seconds before the first."""
    price, left = ModelProcess.price, threading.Event()

    def slow(self: ModelProcess, model: str) -> Price:
        assert left.wait(PATIENCE_S)
        return price(self, model)

    monkeypatch.setattr(ModelProcess, "price", slow)
    with serving(number(2)) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
        monkeypatch.setenv("OPENAI_API_BASE", server.url)
        with opened(tmp_path, Ran(lambda one: verdict(SLOW)))() as search:
            next(search.turns())
        left.set()
        assert under_way(search).wait(PATIENCE_S, print)
        assert not server.questions
    with Spending(Workspace(tmp_path).state) as books:
        assert books.today().tokens == 0


def test_what_is_left_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Refusal(429, after="60"), number(2)) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
        monkeypatch.setenv("OPENAI_API_BASE", server.url)
        with opened(tmp_path, Ran(lambda one: verdict(SLOW)))() as search:
            next(search.turns())
            asking = under_way(search)
            while "try 2 of 4 in 60 s" not in asking._heard.get(timeout=PATIENCE_S):
                pass
        assert asking.wait(PATIENCE_S / 2, print), "a minute of back-off is not waited for"
        assert len(server.questions) == 1


def test_a_hostile_reply_in_flight_costs_the_idea_that_is_measured_nothing(
    tmp_path: Path, process: ModelProcess
) -> None:
    hostile = [
        "I cannot help with that.",
        idea(("import torch\n", "import torch\nopen('x', 'w').write('y')\n")),
        idea(("torch.ones(3)", "torch.ones(1)")),
        '{"path": "../../etc/passwd"}',
    ]
    ran = Ran(lambda one: verdict(None, 1.5))
    with asking_ahead(tmp_path, process, ran, number(2), *hostile, *hostile, ideas=9) as (search, server):
        assert "limit of a run" in search.run()
    assert ran.titles == ["number 2"] and ran.tried[0].verdict.accepted
    assert len(server.questions) == 9
    assert len(search.troubles) == 8


def test_the_same_idea_that_was_asked_for_while_it_was_measured_is_refused(
    tmp_path: Path, process: ModelProcess
) -> None:
    ran = Ran(lambda one: verdict(SLOW))
    with asking_ahead(tmp_path, process, ran, number(2), number(2), ideas=2) as (search, _):
        search.run()
    assert ran.titles == ["number 2"]
    assert "that was tried before" in search.troubles[0]


@pytest.mark.parametrize(
    ("model", "base", "here"),
    [
        ("openai/gpt-5", None, False), ("ollama/qwen3", None, True), ("ollama/qwen3", "http://10.1.2.3:11434", False),
        ("openai/local", "http://127.0.0.1:8080/v1", True), ("openai/local", "localhost:8080", True),
        ("openai/local", "http://[::1]:8080/v1", True), ("openai/local", "http://0.0.0.0:80", True),
        ("openai/x", "https://api.example.com/v1", False), ("openai/x", "http://[", False),
    ],
)  # fmt: skip
def test_a_model_on_this_machine_is_known_by_its_address(
    monkeypatch: pytest.MonkeyPatch, model: str, base: str | None, here: bool
) -> None:
    name = f"{model.partition('/')[0].upper()}_API_BASE"
    monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv(name.replace("API_BASE", "BASE_URL"), raising=False)
    if base is not None:
        monkeypatch.setenv(name, base)
    assert is_served_here(model) == here


def test_a_model_on_this_machine_is_not_asked_while_something_is_measured(
    tmp_path: Path, process: ModelProcess
) -> None:
    ran = Ran(lambda one: verdict(SLOW))
    with serving(*map(number, range(2, 9))) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_BASE", server.url)
        with Spending(tmp_path) as spending:
            request = ModelRequest(MODEL, ideas=3)
            talk = Conversation(request, process, spending, fresh=False)
            ModelSearch(request, target_in(tmp_path), FACTS, talk, ran.around).run()
    assert [measuring for _, measuring in ran.known] == [""] * 4
    assert SOURCE.count("x + 1") == 1
