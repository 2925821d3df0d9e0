"""The benchmark's trace of a verdict."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evidence_maker import make_evidence
from outpace_audit.records import Check, Verdict
from outpace_optimizers.targets.sol_execbench import Problem, load_problem_folder
from outpace_optimizers.targets.sol_trace import status_of, trace_lines
from sol_maker import make_problem, workload

DIFFERENCES = {"max_relative_error": 1e-3, "max_absolute_error": 2e-3, "has_nan": False, "has_inf": True}


@pytest.fixture
def problem(tmp_path: Path) -> Problem:
    return load_problem_folder(make_problem(tmp_path / "rows"), None, "cpu")


def verdict_on(problem: Problem, tmp_path: Path, *checks: Check, accepted: bool = False) -> Verdict:
    labels = tuple(workload.label for workload in problem.target.workloads)
    made = make_evidence(tmp_path, labels).trial.verdict
    outputs = Check("outputs-against-truth", "L2", True, "", numbers={"differences": {labels[0]: DIFFERENCES}})
    return replace(made, checks=(outputs, *checks), accepted=accepted)


def test_a_pass_has_correctness_and_performance_for_every_workload(problem: Problem, tmp_path: Path) -> None:
    verdict = verdict_on(problem, tmp_path, accepted=True)
    first, second = (json.loads(line) for line in trace_lines(problem, "mine", verdict))
    assert set(first) == {"definition", "workload", "solution", "evaluation"}
    assert (first["definition"], first["solution"]) == ("rows", "mine")
    assert first["workload"] == problem.lines[0].data, "the whole object, unknown keys and null tolerance too"
    assert second["workload"]["uuid"] == "u2"
    found = first["evaluation"]
    assert set(found) == {"status", "log", "environment", "timestamp", "correctness", "performance"}
    assert found["status"] == "PASSED"
    assert found["environment"] == {"hardware": "Test CPU", "libs": {"python": "3.11.7", "torch": "2.13.0"}}
    assert {name: found["correctness"][name] for name in DIFFERENCES} == DIFFERENCES
    timing = verdict.timings[0]
    assert found["performance"] == {
        "latency_ms": timing.candidate_s * 1e3,
        "reference_latency_ms": timing.baseline_s * 1e3,
        "speedup_factor": timing.speedup,
    }


def failed(name: str, evidence: str = "", **numbers: Any) -> Check:
    return Check(name, "L3", False, evidence, numbers=numbers)


@pytest.mark.parametrize(
    ("check", "status"),
    [
        (failed("speedup"), "PASSED"),
        (failed("edit-span"), "COMPILE_ERROR"),
        (failed("hard-crimes"), "REWARD_HACK"),
        (failed("contract", "b=1: result has dtype float16, the baseline's float32"), "INCORRECT_DTYPE"),
        (failed("contract", "b=1: result has shape (3,), the baseline's (4,)"), "INCORRECT_SHAPE"),
        (failed("contract", "ValueError", kind="raised"), "RUNTIME_ERROR"),
        (failed("contract", "too slow", kind="timeout"), "TIMEOUT"),
        (failed("timed-run", "died", kind="died"), "RUNTIME_ERROR"),
        (failed("outputs-against-truth"), "INCORRECT_NUMERICAL"),
        (failed("numerics-class"), "INCORRECT_NUMERICAL"),
        (failed("aliasing"), "REWARD_HACK"),
        (failed("timed-outputs"), "REWARD_HACK"),
        (failed("a-check-of-tomorrow"), "REWARD_HACK"),
    ],
)
def test_every_failure_has_the_benchmarks_word(problem: Problem, tmp_path: Path, check: Check, status: str) -> None:
    verdict = verdict_on(problem, tmp_path, check)
    assert status_of(verdict) == status
    for line in trace_lines(problem, "mine", verdict):
        found = json.loads(line)["evaluation"]
        assert (found["correctness"] is not None) == (status in ("PASSED", "INCORRECT_NUMERICAL"))
        assert (found["performance"] is not None) == (status == "PASSED")


def test_sizes_that_were_made_smaller_are_said(tmp_path: Path) -> None:
    problem = load_problem_folder(make_problem(tmp_path / "rows", workload("u", 1 << 20, 512)), None, "cpu")
    line = json.loads(trace_lines(problem, "mine", verdict_on(problem, tmp_path))[0])
    assert line["workload"]["uuid"] == "u"
    assert line["workload"]["axes"]["batch"] < 1 << 20
    assert "axes made smaller from {'batch': 1048576, 'rows': 512}" in line["evaluation"]["log"]


def test_numbers_that_json_lacks_are_words(problem: Problem, tmp_path: Path) -> None:
    verdict = verdict_on(problem, tmp_path)
    label = problem.target.workloads[0].label
    check = replace(
        verdict.checks[0], numbers={"differences": {label: DIFFERENCES | {"max_absolute_error": float("inf")}}}
    )
    text = trace_lines(problem, "mine", replace(verdict, checks=(check,)))[0]
    assert json.loads(text)["evaluation"]["correctness"]["max_absolute_error"] == "inf"
