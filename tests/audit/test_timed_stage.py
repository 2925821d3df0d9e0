"""When an audit times: once before the probes, which are dear, between them, and after them what is still wanted."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest

from outpace_audit import confirmation, thresholds
from outpace_audit.auditing import Options
from outpace_audit.checks import other_uses, outputs, registry, shapes
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.lease import device_lease
from outpace_audit.records import Check, Code, Verdict, Workload
from outpace_audit.samples import ProcessPair

BASELINE = """
import torch
import time

def smooth(x):
    time.sleep(0.004)
    return x.softmax(-1)

def get_inputs():
    return [torch.randn(16, 64)]
"""
FASTER = BASELINE.replace("0.004", "0.001")
SLOWER_AND_WRONG_ELSEWHERE = BASELINE.replace("0.004", "0.008").replace(
    "x.softmax(-1)", "x.softmax(-1) * (len(x) == 16)"
)
WEARS_OUT = """
import time

calls = 0

def smooth(x):
    global calls
    calls += 1
    if calls > 400:
        raise RuntimeError("worn out")
    time.sleep(0.001)
    return x.softmax(-1)
"""

pytestmark = pytest.mark.timed


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Generator[Judge]:
    folder = tmp_path_factory.mktemp("project")
    state = folder / ".outpace"
    with Judge("cpu", arm_launcher(state, project=folder), state) as judge:
        baseline = Code(str(folder / "smooth.py"), BASELINE, "smooth", "function")
        judge.set_target(baseline, [Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")])
        yield judge


@pytest.fixture
def three_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Close together, and none dropped."""
    monkeypatch.setitem(thresholds.SPACING_S, "cpu", 0.01)
    monkeypatch.setitem(thresholds.LOOKS, "cpu", ((3, 1.0),))
    monkeypatch.setattr(confirmation, "FOREIGN_SHARE", 1.0)


class Heard:
    """What an audit told, in order: the names of checks, and the roles of pairs."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __call__(self, kind: str, payload: Any) -> None:
        if isinstance(payload, ProcessPair):
            self.said.append(payload.role)
        elif isinstance(payload, Check):
            self.said.append(payload.name)

    def before(self, check: str) -> list[str]:
        return self.said[: self.said.index(check)]


def audited(judge: Judge, source: str, heard: Heard, **options: Any) -> Verdict:
    candidate = replace(judge.facts.code, source=source)
    return judge.audit(candidate, None, Options(**options), heard)


def test_what_is_no_faster_is_dropped_before_the_probes(judge: Judge) -> None:
    heard = Heard()
    verdict = audited(judge, SLOWER_AND_WRONG_ELSEWHERE, heard)
    assert verdict.failed is not None and verdict.failed.name == "screen"
    assert verdict.level == "L1", "other values and shapes were not tried, so that L2 was not gone through"
    assert heard.said.count("screen") == 2, "the pair, and what it showed"
    probes = {check.name for check in registry.PROBED} - {check.name for check in registry.CALLS}
    assert not probes & set(heard.said)


def test_without_the_screen_probes_come_first(judge: Judge) -> None:
    heard = Heard()
    verdict = audited(judge, SLOWER_AND_WRONG_ELSEWHERE, heard, screen=False)
    assert verdict.failed is not None and verdict.failed.name == shapes.NAME, verdict.reason
    assert "screen" not in heard.said


@pytest.mark.usefixtures("three_pairs")
def test_pairs_are_taken_between_probes_and_count(judge: Judge) -> None:
    heard = Heard()
    verdict = audited(judge, FASTER, heard)
    assert verdict.accepted, verdict.reason
    assert [role for role in heard.before(shapes.NAME) if role == "confirmation"]
    assert heard.said.count("confirmation") == 3
    assert len(verdict.timings[0].log_ratios) == 3


@pytest.fixture
def nothing_suffices(monkeypatch: pytest.MonkeyPatch) -> None:
    """No gain that FASTER shows is enough."""
    monkeypatch.setitem(thresholds.MIN_GAIN, "cpu", 99.0)
    monkeypatch.setattr(confirmation, "FOREIGN_SHARE", 1.0)


@pytest.mark.usefixtures("nothing_suffices")
def test_a_candidate_below_the_needed_gain_in_its_first_pairs_is_given_up(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(thresholds.SPACING_S, "cpu", 0.01)
    heard = Heard()
    verdict = audited(judge, FASTER, heard)
    assert verdict.failed is not None and verdict.failed.name == "speedup", verdict.reason
    assert heard.said.count("confirmation") == thresholds.HOPELESS_PAIRS["cpu"]


@pytest.mark.usefixtures("nothing_suffices")
def test_where_pairs_need_not_lie_apart_the_first_are_part_of_the_screen(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(thresholds.SPACING_S, "cpu", 0.0)
    heard = Heard()
    verdict = audited(judge, FASTER, heard)
    assert verdict.failed is not None and verdict.failed.name == "screen", verdict.reason
    assert "in the first fresh process pairs: not faster" in verdict.failed.evidence
    assert heard.said.count("confirmation") == thresholds.HOPELESS_PAIRS["cpu"]
    assert shapes.NAME not in heard.said


@pytest.mark.usefixtures("nothing_suffices")
def test_no_more_pairs_are_taken_than_the_last_look_wants(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(thresholds.SPACING_S, "cpu", 0.0)
    monkeypatch.setitem(thresholds.LOOKS, "cpu", ((2, 1.0),))
    heard = Heard()
    verdict = audited(judge, FASTER, heard, everything=True)
    assert verdict.failed is not None
    assert heard.said.count("confirmation") == 2


def test_what_fails_in_the_screen_is_said_after_probes_that_might_have_a_better_name(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(thresholds.SCREEN_ROUNDS, "cpu", 64)
    heard = Heard()
    verdict = audited(judge, WEARS_OUT, heard)
    assert verdict.failed is not None and verdict.failed.name == "timed-run", verdict.reason
    assert other_uses.NAME in heard.said
    assert not {"screen", "confirmation"} & set(heard.said)


class HeardWhileAnotherMeasures(Heard):
    """Holds the lease from the first check of values to the end of the probes."""

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self._lease = device_lease(judge.machine, "another", pytest.fail)

    def __call__(self, kind: str, payload: Any) -> None:
        super().__call__(kind, payload)
        if isinstance(payload, Check) and payload.name == outputs.NAME:
            self._lease.__enter__()
        if isinstance(payload, Check) and payload.name == other_uses.NAME:
            self._lease.__exit__(None, None, None)


@pytest.mark.usefixtures("three_pairs")
def test_no_probe_waits_for_another_that_measures(judge: Judge) -> None:
    heard = HeardWhileAnotherMeasures(judge)
    verdict = audited(judge, FASTER, heard, screen=False)
    assert verdict.accepted, verdict.reason
    assert "confirmation" not in heard.before(other_uses.NAME)
