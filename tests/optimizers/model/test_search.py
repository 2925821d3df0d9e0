"""When a search ends, and what it asks for next: litellm against a scripted server, verdicts made up."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from model_server import ModelServer, Reply, idea, serving
from outpace_audit.errors import ModelError
from outpace_audit.records import Check, Code, Idea, Machine, Patch, Timing, Verdict, Workload
from outpace_optimizers.model import consent
from outpace_optimizers.model.approach import scope_of
from outpace_optimizers.model.client import ModelProcess
from outpace_optimizers.model.conversation import Conversation
from outpace_optimizers.model.lessons import Lessons
from outpace_optimizers.model.memory import Memory
from outpace_optimizers.model.prompt import Facts
from outpace_optimizers.model.search import FIXES, ModelSearch
from outpace_optimizers.model.spending import Spending
from outpace_optimizers.model.stopping import near_floor
from outpace_optimizers.model.surroundings import Surroundings
from outpace_optimizers.records import ModelRequest, Target, Trial
from outpace_optimizers.source import base_hash, parse
from outpace_optimizers.workspace import Workspace

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("litellm") is None, reason="litellm is not installed: pip install 'outpace[model]'"
)
PLATEAU = ModelRequest("any/model").plateau
SOURCE = "import torch\n\n\ndef work(x):\n    return x + 1\n\n\ndef get_inputs():\n    return [torch.ones(3)]\n"
MACHINE = Machine("cpu", "Test CPU", "", "Test CPU", 2, "3.11.7", "2.13.0", None, None, None)
SLOW = Check("speedup", "L4", False, "no faster")
WRONG = Check("outputs-against-truth", "L2", False, "error 3e-2")


FACTS = Facts(MACHINE, "timed: forward only", {"workloads": []})


def target_in(folder: Path) -> Target:
    return Target(Code(str(folder / "work.py"), SOURCE, "work", "function"), (Workload("w", "get_inputs", "declared"),))


def number(value: int) -> str:
    return idea(("x + 1", f"x + {value} - {value - 1}"), title=f"number {value}")


def verdict(check: Check | None, low: float = 1.0) -> Verdict:
    won = check is None
    return Verdict(
        "v", won, "r", "exact", "L4" if won else "L1", low + 0.1 if won else None, (low, low + 0.2) if won else None,
        (), () if check is None else (check,), MACHINE, (), False, "fp64",
    )  # fmt: skip


def search(
    folder: Path,
    process: ModelProcess,
    judge: Callable[[Idea], Verdict | None],
    *replies: Reply,
    ideas: int = 50,
    facts: Facts = FACTS,
    memory: Memory | None = None,
) -> tuple[str, list[Trial], ModelServer]:
    tried: list[Trial] = []
    request = ModelRequest("openai/scripted", ideas=ideas)
    target = target_in(folder)

    def judged(one: Idea) -> Trial | None:
        found = judge(one)
        if found is not None:
            tried.append(Trial(f"t{len(tried)}", "work", one, found, "", ""))
        return tried[-1] if found is not None else None

    around = Surroundings(lambda: tried, judged, lambda: "", lambda text: None)
    with serving(*replies) as server, pytest.MonkeyPatch.context() as patch, Spending(folder) as spending:
        patch.setenv("OPENAI_API_BASE", server.url)
        talk = Conversation(request, process, spending, fresh=False)
        return ModelSearch(request, target, facts, talk, around, memory).run(), tried, server


def test_ideas_that_are_no_faster_are_not_repaired_and_end_in_a_plateau(tmp_path: Path, process: ModelProcess) -> None:
    replies = [number(value) for value in range(2, 20)]
    stop, tried, server = search(tmp_path, process, lambda one: verdict(SLOW), *replies)
    assert stop.startswith("plateau: ")
    assert len(tried) == len(server.questions) == PLATEAU


def test_the_time_of_asking_and_of_judging_is_on_record(tmp_path: Path, process: ModelProcess) -> None:
    request, target = ModelRequest("openai/scripted"), target_in(tmp_path)
    outcomes = [verdict(SLOW), None, verdict(SLOW)]
    tried: list[Trial] = []

    def judged(one: Idea) -> Trial | None:
        found = outcomes.pop(0)
        if found is not None:
            tried.append(Trial(f"t{len(tried)}", "work", one, found, "", "", 1.0 if tried else None))
        return tried[-1] if found is not None else None

    around = Surroundings(lambda: tried, judged, lambda: "", lambda text: None)
    with serving(*map(number, (2, 3, 4))) as server, pytest.MonkeyPatch.context() as patch, Spending(tmp_path) as books:
        patch.setenv("OPENAI_API_BASE", server.url)
        one = ModelSearch(request, target, FACTS, Conversation(request, process, books, fresh=False), around)
        one.run()
        spend = one.spend()
    assert len(tried) == 2
    assert spend.judged == 1, "neither what the ledger knew nor what had no verdict took the judge's time"
    assert spend.asking_s > 0 and spend.judging_s > 0


def test_a_better_one_starts_the_count_again(tmp_path: Path, process: ModelProcess) -> None:
    outcomes = iter([verdict(SLOW), verdict(SLOW), verdict(None, 1.5), *[verdict(None, 1.2)] * PLATEAU])
    stop, tried, _ = search(tmp_path, process, lambda one: next(outcomes), *map(number, range(2, 20)))
    assert stop.startswith("plateau: ")
    assert len(tried) == 3 + PLATEAU


def test_every_second_idea_builds_on_the_best_and_is_a_patch_of_the_original(
    tmp_path: Path, process: ModelProcess
) -> None:
    outcomes = iter([verdict(None, 1.5), verdict(WRONG), verdict(None, 2.0), *[verdict(SLOW)] * 9])
    grown, again = idea(("x + 4 - 3", "x.add(4 - 3)")), idea(("x + 4 - 3", "torch.add(x, 4 - 3)"))
    replies = [number(4), grown, again, idea(("add(x, 4 - 3)", "add(x, 3 - 2)")), number(5)]
    _, tried, server = search(tmp_path, process, lambda one: next(outcomes), *replies)
    texts = [trial.idea.patch.new_source for trial in tried]
    returned = ("x + 4 - 3", "x.add(4 - 3)", "torch.add(x, 4 - 3)", "torch.add(x, 3 - 2)", "x + 5 - 4")
    assert texts == [SOURCE.replace("x + 1", one) for one in returned]
    assert {trial.idea.patch.base_hash for trial in tried} == {base_hash(SOURCE)}
    fresh, built, repair, higher, other = server.prompts[:5]
    assert "Build on that" not in fresh
    assert 'The best so far is "number 4 (by openai/scripted)", 1.60x [1.50, 1.70]' in built
    assert "    return x + 4 - 3\n```" in built
    assert "its edits start from the code of the best so far" in repair
    assert "    return torch.add(x, 4 - 3)\n```" in higher
    assert "Build on that" not in other, "a search that only ever climbs one hill"


def test_what_a_model_could_not_have_written_is_not_built_on(tmp_path: Path, process: ModelProcess) -> None:
    text = SOURCE.replace("torch.ones(3)", "torch.zeros(3)")
    patch = Patch(str(tmp_path / "work.py"), base_hash(SOURCE), text, ())
    rule = Trial("r", "work", Idea("rule", "other inputs", "", "exact", patch), verdict(None, 3.0), "", "")
    target, request = target_in(tmp_path), ModelRequest("openai/scripted", ideas=1)
    around = Surroundings(lambda: [rule], lambda one: None, lambda: "", lambda text: None)
    with serving(number(2)) as server, pytest.MonkeyPatch.context() as environ, Spending(tmp_path) as spending:
        environ.setenv("OPENAI_API_BASE", server.url)
        ModelSearch(request, target, FACTS, Conversation(request, process, spending, fresh=False), around).run()
    assert "Build on that" not in server.prompts[0]


def test_wrong_ideas_are_repaired_twice_each(tmp_path: Path, process: ModelProcess) -> None:
    replies = [number(value) for value in range(2, 30)]
    stop, tried, server = search(tmp_path, process, lambda one: verdict(WRONG), *replies)
    assert stop.startswith("plateau: ")
    assert len(tried) == PLATEAU * (1 + FIXES)
    lengths = [len(question["messages"]) for question in server.questions]
    assert lengths == [2, 4, 4] * PLATEAU
    assert "error 3e-2" in server.prompts[1]


def test_the_limit_of_replies_ends_it(tmp_path: Path, process: ModelProcess) -> None:
    stop, _, server = search(tmp_path, process, lambda one: verdict(SLOW), *map(number, range(2, 9)), ideas=2)
    assert stop == "the model was asked 2 times, the limit of a run"
    assert len(server.questions) == 2


def test_what_cannot_be_judged_is_no_verdict_and_no_endless_loop(tmp_path: Path, process: ModelProcess) -> None:
    stop, tried, server = search(tmp_path, process, lambda one: None, *map(number, range(2, 20)))
    assert stop.startswith("plateau: ")
    assert not tried
    assert "could not be judged on this machine" in server.prompts[1]


def test_hostile_answers_end_in_a_plateau_and_none_is_judged(tmp_path: Path, process: ModelProcess) -> None:
    outside = [
        idea(("torch.ones(3)", "torch.ones(1)")),
        idea(("import torch\n", "import torch\nopen('x', 'w').write('y')\n")),
        idea(("x + 1", "x + 1  # the same")),
        "I cannot help with that.",
        idea(("import torch\n", "import torch\nif True:\n    import os\n    os.remove('work.py')\n")),
        '{"path": "../../etc/passwd"}',
    ]
    stop, tried, _ = search(tmp_path, process, lambda one: verdict(None), *outside * 2)
    assert stop.startswith("plateau: ")
    assert not tried


def timed(low: float, candidate_s: float) -> Verdict:
    timing = Timing("w", low, (low, low), 0.99, 5, 1e-3, candidate_s, "as-called")
    return replace(verdict(None, low), timings=(timing,))


def test_near_the_floor_nothing_more_is_asked(tmp_path: Path, process: ModelProcess) -> None:
    machine = replace(MACHINE, ceilings={"peak_bytes_per_s": 1e9})
    facts = Facts(machine, "timed", {"workloads": [{"workload": {"label": "w"}, "unavoidable_bytes": 100_000}]})
    outcomes = iter([timed(2.0, 5e-4), timed(9.0, 1.1e-4)])
    stop, tried, server = search(tmp_path, process, lambda one: next(outcomes), *map(number, range(2, 9)), facts=facts)
    assert stop.startswith("near the floor: no call takes more than 1.10 times")
    assert len(tried) == len(server.questions) == 2
    unknown = Facts(MACHINE, "timed", facts.learnt)
    assert not near_floor(unknown, tried), "a peak that nobody published is no floor"
    assert not near_floor(facts, []), "nothing was timed"


def test_what_other_targets_taught_is_shown_and_stays_the_same_when_it_is_asked_again(
    tmp_path: Path, process: ModelProcess
) -> None:
    target = target_in(tmp_path)
    request = ModelRequest("openai/scripted")
    lessons = Lessons(tmp_path)
    scope = scope_of(target, parse(target.code.path, SOURCE), MACHINE)
    lessons.learn("adds addcmul", replace(verdict(None, 1.5), id="elsewhere"), scope)
    with Spending(tmp_path) as spending:
        memory = Memory(spending, lessons, request, target, MACHINE, fresh=False)
        memory.end("done")
        lessons.learn("adds fma", replace(verdict(None, 1.5), id="later"), scope)
        same = Memory(spending, lessons, request, target, MACHINE, fresh=False)
        assert same.lines == memory.lines == ("adds addcmul: faster, 1.60x [1.50, 1.70] (1 trial)",)
        assert same.run.name != memory.run.name
        fresh = Memory(spending, lessons, request, target, MACHINE, fresh=True)
        assert [line.partition(":")[0] for line in fresh.lines] == ["adds fma", "adds addcmul"]
        _, _, server = search(tmp_path, process, lambda one: verdict(SLOW), number(2), memory=same)
    assert "adds addcmul: faster, 1.60x [1.50, 1.70] (1 trial)" in server.prompts[0]


def test_it_is_not_opened_where_nobody_has_agreed(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    request = ModelRequest("openai/scripted")
    target = Target(Code(str(tmp_path / "work.py"), SOURCE, "work", "function"), ())
    around = Surroundings(list, lambda one: None, lambda: "", lambda text: None)
    facts = Facts(MACHINE, "", {"workloads": []})
    with (
        pytest.raises(ModelError, match="nobody has agreed"),
        ModelSearch.of(request, target, facts, workspace, around, fresh=False),
    ):
        pass
    assert not consent.is_given(request, workspace)
