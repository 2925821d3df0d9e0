from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from outpace_audit.records import Check, Code, Machine, Timing, Verdict
from outpace_optimizers.model.approach import approach_of, scope_of
from outpace_optimizers.model.lessons import FILE, KEPT, Lessons, Scope
from outpace_optimizers.records import Target
from outpace_optimizers.source import parse

MACHINE = Machine("cpu", "Test CPU", "", "Test CPU", 2, "3.11.7", "2.13.0", None, None, None)
SCOPE = Scope("function", ("matmul", "softmax", "transpose"), "Test CPU; torch 2.13.0; triton None")
WRONG = Check("outputs-against-truth", "L2", False, "error 3e-2")
SLOW = Check("speedup", "L4", False, "1.00x")
APPROACH = "adds scaled_dot_product_attention; drops matmul, softmax"


def verdict(name: str, failed: Check | None = None, high: float = 1.01) -> Verdict:
    """`high`: of the interval of one that was timed and no faster."""
    won = failed is None
    timings = (Timing("w", 1.0, (0.98, high), 0.99, 7, 1e-3, 1e-3, "as-called"),) if failed == SLOW else ()
    return Verdict(
        name, won, "r", "exact", "L4", 1.5 if won else None, (1.4, 1.6) if won else None, timings,
        () if failed is None else (failed,), MACHINE, (), False, "fp64",
    )  # fmt: skip


def test_a_win_is_a_lesson_with_its_gain_and_its_verdicts_for_code_like_that(tmp_path: Path) -> None:
    lessons = Lessons(tmp_path)
    lessons.learn(APPROACH, verdict("a"), SCOPE)
    lessons.learn(APPROACH, verdict("b"), SCOPE)
    assert lessons.lines_for(SCOPE) == [f"{APPROACH}: faster, 1.50x [1.40, 1.60] (2 trials)"]
    assert lessons.all[0].verdicts == ("a", "b")
    assert Lessons(tmp_path).all == lessons.all, "not what was kept"


@pytest.mark.parametrize(
    "other",
    [
        replace(SCOPE, kind="module"),
        replace(SCOPE, machine="NVIDIA H200; torch 2.13.0; triton 3.8"),
        replace(SCOPE, calls=("conv2d", "relu", "softmax")),
    ],
    ids=["kind", "machine", "calls"],
)
def test_it_is_not_shown_for_other_kinds_machines_or_code(tmp_path: Path, other: Scope) -> None:
    lessons = Lessons(tmp_path)
    lessons.learn(APPROACH, verdict("a"), SCOPE)
    assert lessons.lines_for(SCOPE)
    assert not lessons.lines_for(other)


def test_one_wrong_trial_may_be_a_slip_and_two_of_one_check_are_a_lesson(tmp_path: Path) -> None:
    lessons = Lessons(tmp_path)
    lessons.learn(APPROACH, verdict("a", WRONG), SCOPE)
    lessons.learn(APPROACH, verdict("b", replace(WRONG, name="value-laws")), SCOPE)
    assert not lessons.lines_for(SCOPE)
    lessons.learn(APPROACH, verdict("c", WRONG), SCOPE)
    assert lessons.lines_for(SCOPE) == [f"{APPROACH}: wrong, it failed L2 outputs-against-truth (2 trials)"]


@pytest.mark.parametrize(
    ("first", "then"),
    [([None], SLOW), ([SLOW], None), ([WRONG, WRONG], None), ([WRONG, WRONG], SLOW)],
    ids=["faster-slow", "slow-faster", "wrong-faster", "wrong-right-but-slow"],
)
def test_what_contradicts_a_lesson_drops_it_with_the_verdict_on_record(
    tmp_path: Path, first: list[Check | None], then: Check | None
) -> None:
    lessons = Lessons(tmp_path)
    for number, failed in enumerate(first):
        lessons.learn(APPROACH, verdict(f"before {number}", failed), SCOPE)
    assert lessons.lines_for(SCOPE)
    lessons.learn(APPROACH, verdict("after", then), SCOPE)
    assert not lessons.lines_for(SCOPE)
    assert [one.contradicted_by for one in lessons.dropped] == ["after"]
    lessons.learn(APPROACH, verdict("after", then), SCOPE)
    assert not lessons.lines_for(SCOPE), "one verdict counts once"
    lessons.learn(APPROACH, verdict("later", then), SCOPE)
    assert len(lessons.lines_for(SCOPE)) == 1, "it begins again with what comes later"


def test_no_faster_is_what_the_interval_says_or_the_screen_says_twice(tmp_path: Path) -> None:
    lessons = Lessons(tmp_path)
    lessons.learn(APPROACH, verdict("busy", SLOW, high=1.67), SCOPE)
    assert not lessons.all
    screen = Check("screen", "L4", False, "0.70x in a first process pair")
    lessons.learn("adds clone", verdict("a", screen), SCOPE)
    assert not lessons.lines_for(SCOPE)
    lessons.learn("adds clone", verdict("b", screen), SCOPE)
    assert lessons.lines_for(SCOPE) == ["adds clone: no faster, in a first pair of processes (2 trials)"]
    lessons.learn(APPROACH, verdict("idle", SLOW), SCOPE)
    assert lessons.lines_for(SCOPE)[0] == f"{APPROACH}: no faster, at most 1.01x (1 trial)"


def test_a_slip_does_not_unlearn_a_win_and_a_crash_teaches_nothing(tmp_path: Path) -> None:
    lessons = Lessons(tmp_path)
    lessons.learn(APPROACH, verdict("a"), SCOPE)
    lessons.learn(APPROACH, verdict("b", WRONG), SCOPE)
    lessons.learn("adds empty", verdict("c", replace(WRONG, numbers={"kind": "timeout"})), SCOPE)
    for name in ("e", "f"):
        lessons.learn("adds empty", verdict(name, Check("clock-agreement", "L4", False, "0.82 x")), SCOPE)
    lessons.learn("", verdict("d"), SCOPE)
    assert [one.verdicts for one in lessons.all if one.outcome == "faster"] == [("a",)]
    assert not lessons.dropped
    assert {name for one in lessons.all for name in one.verdicts} == {"a", "b"}


def test_a_broken_file_is_moved_aside_and_said(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"lessons": [3]}')
    lessons = Lessons(tmp_path)
    assert "was broken" in lessons.trouble
    lessons.learn(APPROACH, verdict("a"), SCOPE)
    assert len(json.loads((tmp_path / FILE).read_text())["lessons"]) == 1
    assert len(list(tmp_path.glob(f"{FILE}.broken-*"))) == 1


def test_a_folder_that_cannot_be_written_is_said_and_stops_nothing(tmp_path: Path) -> None:
    lessons = Lessons(tmp_path / "missing")
    lessons.learn(APPROACH, verdict("a"), SCOPE)
    assert "not kept" in lessons.trouble


def test_the_oldest_go(tmp_path: Path) -> None:
    lessons = Lessons(tmp_path)
    for number in range(KEPT + 5):
        lessons.learn(f"adds f{number}", verdict(f"v{number}"), SCOPE)
    assert len(lessons.all) == KEPT
    assert lessons.lines_for(SCOPE)[0].startswith(f"adds f{KEPT + 4}:")


TEXT = """import torch
from billing import charge_customer


def work(x):
    rows = []
    for row in x:
        rows.append(torch.softmax(row, dim=-1))
    return torch.stack(rows)
"""


def test_an_approach_names_what_is_called_and_nothing_of_the_projects_own() -> None:
    after = TEXT.replace("    rows = []\n", "    return helper(x, self.invoice(), charge_customer(x))\n").partition(
        "    for"
    )[0]
    after += "\n\ndef helper(x, *rest):\n    return torch.nn.functional.softmax(x, -1).contiguous()\n"
    assert approach_of(TEXT, after) == "adds contiguous; drops a loop, append, stack"
    assert approach_of(TEXT, TEXT.replace("dim=-1", "dim=1")) == ""


def test_a_scope_is_what_the_target_calls() -> None:
    target = Target(Code("a.py", TEXT, "work", "function"), ())
    assert scope_of(target, parse("a.py", TEXT), MACHINE) == Scope(
        "function", ("a loop", "append", "softmax", "stack"), "Test CPU; torch 2.13.0; triton None"
    )
