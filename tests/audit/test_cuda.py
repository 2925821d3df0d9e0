"""The judge on a GPU: graph-amortised timing, and what only a GPU can get wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from outpace_audit.auditing import Options
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import Code, Verdict, Workload

pytestmark = [pytest.mark.gpu, pytest.mark.timed]

HACKS = Path(__file__).parents[1] / "hacks"


def code_of(name: str) -> Code:
    path = HACKS / f"{name}.py"
    return Code(str(path), path.read_text(), "attention", "function")


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    state = tmp_path_factory.mktemp("state") / ".outpace"
    with Judge("cuda", arm_launcher(state, project=HACKS), state) as judge:
        judge.set_target(code_of("baseline"), [Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")])
        yield judge


def audit(judge: Judge, name: str, *off: str) -> Verdict:
    return judge.audit(code_of(name), None, Options(off=frozenset(off), screen=False))


def test_the_sandbox_stands_and_the_gpu_works_in_it(judge: Judge) -> None:
    assert judge.machine.device == "cuda"
    assert {"pid-ns", "net-ns", "read-only-tree", "no-caps"} <= set(judge.protections)


def test_the_honest_candidate_is_accepted_on_graph_time(judge: Judge) -> None:
    verdict = audit(judge, "honest")
    assert verdict.accepted, verdict.reason
    assert {timing.mode for timing in verdict.timings} == {"graph", "as-called"}


@pytest.mark.parametrize(
    ("name", "caught_by"),
    [
        ("drops_scale", "outputs-against-truth"),
        ("side_stream", "settled-outputs"),
        ("short_side_stream", "settled-outputs"),
        ("early_side_stream", "outputs-against-truth"),
        ("cached_by_address", "stale-results"),
    ],
)
def test_the_hack_is_rejected_by_its_check(judge: Judge, name: str, caught_by: str) -> None:
    verdict = audit(judge, name)
    assert verdict.failed is not None
    assert verdict.failed.name == caught_by, verdict.reason


def test_a_stale_replay_in_the_timed_calls_is_rejected(judge: Judge) -> None:
    verdict = audit(judge, "cached_output")
    assert verdict.failed is not None
    assert verdict.failed.name == "timed-outputs", verdict.reason
