"""Several ways to compile one target: which are looked at, and in which order they are audited."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from outpace_audit.errors import JudgeError
from outpace_audit.records import ArgSpec, Closely, Code, Idea, Machine, Patch, QuickLook, Verdict, Workload
from outpace_optimizers.compiling import CLEARLY, LEAST_LOOK_S, MOST_LOOK_S, look_limit, ordered, sensible
from outpace_optimizers.proposers.bench import Bench
from outpace_optimizers.proposers.rule_ideas import Compiling
from outpace_optimizers.records import Asked, OptimizeRequest, Target, Trial
from outpace_optimizers.rules.compile_modes import RULE as MODES
from outpace_optimizers.rules.torch_compile import RULE as PLAIN

CODE = Code("a.py", "import torch\n\n\ndef f(x, w):\n    return torch.relu(x @ w)\n", "f", "function")
DEFAULT, EACH, SEARCHED = IDEAS = [*PLAIN.propose(CODE), *MODES.propose(CODE)]
MACHINE = Machine("cuda", "G", "uuid", "cpu", 2, "3.11", "2.11", "3.6", None, None)


def workloads(*rows: int) -> tuple[Workload, ...]:
    return tuple(Workload(f"x={n}", "laws", "declared", (ArgSpec("x", (n, 1024), "float32"),)) for n in rows)


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ((8,), [DEFAULT]),
        ((8, 16), [DEFAULT, EACH]),
        ((512,), [DEFAULT, SEARCHED]),
        ((8, 512), [DEFAULT, EACH, SEARCHED]),
        ((512, 512), [DEFAULT, SEARCHED]),
    ],
)
def test_only_ways_that_have_something_to_gain_are_looked_at(rows: Sequence[int], wanted: list[Idea]) -> None:
    assert sensible(IDEAS, workloads(*rows)) == wanted


def looks(*ratios: float | None) -> list[QuickLook]:
    return [QuickLook(ratio=ratio) if ratio else QuickLook("it raised") for ratio in ratios]


@pytest.mark.parametrize(
    ("ratios", "plain", "searched"),
    [
        ((1.5, 1.5 * CLEARLY - 0.01, 1.5), [DEFAULT, EACH], []),
        ((1.5, 1.5 * CLEARLY + 0.01, 1.5), [EACH, DEFAULT], []),
        ((1.5, 1.6, 1.7), [EACH, DEFAULT], [SEARCHED]),
        ((1.5, 1.6, 1.6 * CLEARLY - 0.01), [EACH, DEFAULT], []),
        ((None, 1.1, 1.0), [EACH], []),
        ((None, None, 0.9), [], [SEARCHED]),
        ((None, None, None), [], []),
    ],
)
def test_the_plainest_goes_first_unless_another_is_clearly_faster(
    ratios: Sequence[float | None], plain: list[Idea], searched: list[Idea]
) -> None:
    found = ordered(IDEAS, looks(*ratios))
    assert (list(found.plain), list(found.searched)) == (plain, searched)
    assert len(found.notes) == list(ratios).count(None)
    assert all("it raised" in note for note in found.notes)


def test_a_look_may_take_half_of_the_time_that_is_left() -> None:
    assert [look_limit(left).limit_s for left in (0.0, 60.0, 3600.0)] == [LEAST_LOOK_S, 30.0, MOST_LOOK_S]


@dataclass
class FakeSession:
    """Accepts what it is told to."""

    accepts: list[Idea]
    look: Callable[[], list[QuickLook]]
    known: list[Idea] = field(default_factory=list[Idea])
    tried: list[Idea] = field(default_factory=list[Idea])
    looked_at: list[int] = field(default_factory=list[int])
    notes: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    timed: str = ""
    facts: dict[str, Any] = field(default_factory=lambda: {"workloads": []})
    machine: Machine = MACHINE
    target: Target = Target(CODE, workloads(8, 512))  # noqa: RUF009  # frozen

    def knows(self, idea: Idea) -> bool:
        return idea in self.known

    def try_idea(self, idea: Idea, *, limit_s: float, asked: Asked) -> Trial:
        self.tried.append(idea)
        accepted = idea in self.accepts
        verdict = Verdict(
            "v", accepted, "", "tolerant", "L4", 1.5, (1.4, 1.6), (), (), MACHINE, (), False, ""
        )  # fmt: skip
        return Trial(f"{len(self.tried)}", "f", idea, verdict, "", "")

    def quick_looks(self, patches: Sequence[Patch], closely: Closely) -> list[QuickLook]:
        self.looked_at.append(len(patches))
        return self.look()


def ran(session: FakeSession, budget_s: float = 60.0, late: bool = False) -> Bench:
    """All turns of those that compile."""
    bench = Bench(session, OptimizeRequest("a.py", budget_s=budget_s), lambda event: None)  # type: ignore[arg-type]
    if late:
        session.look = lambda: (setattr(bench, "_deadline", time.monotonic() - 1), looks(1.5, 1.6, 1.9))[1]
    ways = sensible(IDEAS, session.target.workloads)
    compiling = Compiling(bench, [], ways, len(ways))
    while compiling.ready:
        compiling.turn()
    return bench


def test_one_way_is_audited_and_a_search_after_it() -> None:
    session = FakeSession([DEFAULT, EACH], lambda: looks(1.5, 1.6, 1.9))
    assert ran(session).untried == 0
    assert (session.looked_at, session.tried) == ([3], [EACH, SEARCHED])


def test_after_a_rejection_comes_the_next_way() -> None:
    session = FakeSession([DEFAULT], lambda: looks(1.5, 1.6, 1.0))
    ran(session)
    assert session.tried == [EACH, DEFAULT]


def test_what_was_looked_at_in_time_is_audited_and_a_search_is_not_begun_late() -> None:
    session = FakeSession([EACH], lambda: looks())
    bench = ran(session, late=True)
    assert (bench.untried, bench.ending) == (1, "time")
    assert session.tried == [EACH]


def test_no_look_is_taken_without_time_or_where_the_ledger_knows_the_answer() -> None:
    session = FakeSession([EACH], lambda: looks(1.5, 1.6, 1.9), known=[EACH])
    assert ran(session, budget_s=-1.0).untried == 0
    assert (session.looked_at, session.tried) == ([], [EACH])
    session = FakeSession([], lambda: looks(1.5, 1.6, 1.9))
    assert ran(session, budget_s=-1.0).untried == 3
    assert (session.looked_at, session.tried) == ([], [])


def test_a_judge_that_fails_at_a_look_ends_the_run() -> None:
    def fail() -> list[QuickLook]:
        raise JudgeError("gone")

    session = FakeSession([DEFAULT], fail)
    assert "gone" in ran(session).failure
    assert session.tried == []
