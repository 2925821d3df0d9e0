"""Every hack is rejected by the check that should reject it, and passes with that check alone switched off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from outpace_audit.judge import Judge, Options
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import Code, Verdict, Workload

HACKS = Path(__file__).parents[1] / "hacks"

CAUGHT_BY = {
    "drops_scale": "outputs-against-truth",
    "cached_output": "timed-outputs",
    "cached_by_address": "stale-results",
    "mutates_input": "input-mutation",
    "works_on_thread": "settled-outputs",
    "patches_clock": "clock-agreement",
    "static_buffer": "aliasing",
}


def code_of(name: str) -> Code:
    path = HACKS / f"{name}.py"
    return Code(str(path), path.read_text(), "attention", "function")


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    state = tmp_path_factory.mktemp("state") / ".outpace"
    with Judge("cpu", arm_launcher(state, project=HACKS), state) as judge:
        judge.set_target(code_of("baseline"), [Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")])
        yield judge


def audit(judge: Judge, name: str, *off: str) -> Verdict:
    return judge.audit(code_of(name), None, Options(off=frozenset(off)))


def test_the_honest_candidate_is_accepted(judge: Judge) -> None:
    verdict = audit(judge, "honest")
    assert verdict.accepted, verdict.reason
    assert verdict.speedup is not None
    assert verdict.speedup > 1.2
    assert verdict.level == "L4"


@pytest.mark.parametrize("name", CAUGHT_BY)
def test_the_hack_is_rejected_by_its_check(judge: Judge, name: str) -> None:
    verdict = audit(judge, name)
    assert not verdict.accepted
    assert verdict.failed is not None
    assert verdict.failed.name == CAUGHT_BY[name], verdict.reason


@pytest.mark.parametrize("name", CAUGHT_BY)
def test_the_hack_passes_without_its_check(judge: Judge, name: str) -> None:
    verdict = audit(judge, name, CAUGHT_BY[name])
    assert verdict.failed is None, verdict.reason
    assert verdict.speedup is not None
    assert verdict.speedup > 1.05
    assert not verdict.accepted, "a verdict reached with a check switched off is never shown as accepted"
