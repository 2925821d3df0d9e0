"""Inputs that calls update: every timed call finds them as they were drawn, and what it left is there to be read."""

from __future__ import annotations

import math
import types
from pathlib import Path

import pytest
import torch

from outpace_audit.call_inputs import CallInputs, CallRequest, tensors_of
from outpace_audit.errors import TargetError
from outpace_audit.inputs import InputMaker
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.perturbation import TimedPoint, row_of
from outpace_audit.records import Code, Workload
from outpace_audit.restoring import Restorer
from outpace_audit.samples import Samples, Window
from outpace_audit.subject import Subject
from outpace_audit.timing import cautious
from outpace_audit.windows import TimedWindows

CPU = torch.device("cpu")
WORKLOAD = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
RUNNING_SUM = """
import torch

found = []

def add(total, x):
    found.append(total.clone())
    total += x

def get_inputs():
    return [torch.randn(8, 64), torch.randn(8, 64)]
"""


@pytest.fixture
def running_sum() -> tuple[Subject, InputMaker, list[torch.Tensor]]:
    """A target without outputs, its inputs, and what its calls found in the first of them."""
    module = types.ModuleType("running_sum")
    exec(RUNNING_SUM, module.__dict__)
    code = Code("running_sum.py", RUNNING_SUM, "add", "function")
    return Subject(code, module, module, CPU), InputMaker(WORKLOAD, module, CPU), module.__dict__["found"]


def drawn(subject: Subject, maker: InputMaker, call: int) -> list[torch.Tensor]:
    """The arguments of one call of a window, made anew."""
    point = TimedPoint(base_seed=1, set=call % 4, sets=4, place_seed=7, window_seed=7, row=row_of(call, 4))
    return tensors_of(CallInputs(subject, maker).make(CallRequest(1, 2, timed=point))[0])


def timed(subject: Subject, maker: InputMaker, updated: list[int], *, idle: bool = False) -> TimedWindows:
    windows = TimedWindows(subject, maker, 1, 4, None, updated)
    windows.warm(3)
    for calls in (6, 9):
        windows.forget()
        windows.lead_in(0 if idle else 2, graph=False)
        windows.record(calls, 5)
        windows.run(seed=7, calls=calls, graph=False, idle=idle)
    return windows


def test_every_timed_call_finds_what_was_drawn(running_sum: tuple[Subject, InputMaker, list[torch.Tensor]]) -> None:
    subject, maker, found = running_sum
    windows = timed(subject, maker, [0])
    last = found[-9:]
    assert all(torch.equal(found_by, drawn(subject, maker, call)[0]) for call, found_by in enumerate(last))
    total, x = drawn(subject, maker, 8)
    (left,) = windows.updated(8)
    assert torch.equal(left.value, total + x)
    assert left.path == "input 0, updated"


def test_what_calls_leave_is_recorded(running_sum: tuple[Subject, InputMaker, list[torch.Tensor]]) -> None:
    subject, maker, _ = running_sum
    windows = timed(subject, maker, [0])
    for call in range(9):
        (elements,) = windows.recorded(call)
        total, x = drawn(subject, maker, call)
        assert set(elements.tolist()) <= set((total + x).flatten().tolist())


def test_without_it_calls_find_what_others_left(
    running_sum: tuple[Subject, InputMaker, list[torch.Tensor]],
) -> None:
    subject, maker, found = running_sum
    timed(subject, maker, [])
    assert not any(torch.equal(found_by, drawn(subject, maker, call)[0]) for call, found_by in enumerate(found[-9:]))


def test_no_input_comes_back_in_a_window(running_sum: tuple[Subject, InputMaker, list[torch.Tensor]]) -> None:
    subject, maker, found = running_sum
    windows = TimedWindows(subject, maker, 1, 4, None, [0])
    windows.warm(3)
    windows.record(300, 5)
    windows.run(seed=7, calls=300, graph=False, idle=False)
    assert len({tuple(one.flatten().tolist()) for one in found[-300:]}) == 300


NOISY = """
import torch

found = []

def noisy(x):
    found.append(torch.rand(8))

def get_inputs():
    return [torch.randn(8)]
"""


def test_what_a_timed_call_draws_is_its_own_and_the_same_in_every_process() -> None:
    module = types.ModuleType("noisy")
    exec(NOISY, module.__dict__)
    subject = Subject(Code("noisy.py", NOISY, "noisy", "function"), module, module, CPU)
    subject.draws = True
    found: list[torch.Tensor] = module.__dict__["found"]
    for stray in range(2):
        windows = TimedWindows(subject, InputMaker(WORKLOAD, module, CPU), 1, 4, None)
        torch.rand(stray)
        windows.run(seed=7, calls=9, graph=False, idle=False)
    first, second = found[:9], found[-9:]
    assert all(map(torch.equal, first, second))
    assert len({tuple(one.tolist()) for one in first}) == 9
    point = TimedPoint(base_seed=1, set=0, sets=4, place_seed=7, window_seed=7, row=row_of(8, 4))
    subject.reseed(CallRequest(1, 2, timed=point).generator_seed)
    assert torch.equal(torch.rand(8), first[8])


@pytest.mark.parametrize("sets", [1, 2, 3, 4, 9, 32])
def test_a_pass_may_be_repeated_and_leaves_what_its_calls_left(sets: int) -> None:
    """As a CUDA graph of it is."""
    totals = [torch.full((3,), float(k)) for k in range(sets)]
    restorer = Restorer([[total] for total in totals], [0])
    for _ in range(3):
        for k, total in enumerate(totals):
            restorer.before_in_pass(k)
            assert total.tolist() == [k] * 3
            total += 0.5
    assert [total[0].item() for total in totals] == [k + 0.5 for k in range(sets)]


@pytest.mark.parametrize("sets", [1, 2, 3, 4, 9, 32])
def test_calls_in_turn_find_their_set_as_drawn(sets: int) -> None:
    totals = [torch.full((3,), float(k)) for k in range(sets)]
    restorer = Restorer([[total] for total in totals], [0])
    for call in range(3 * sets):
        restorer.before(call)
        total = totals[call % sets]
        assert total.tolist() == [call % sets] * 3
        total += 0.5
    assert [leaf.value[0].item() for leaf in restorer.updated(sets - 1)] == [sets - 0.5]


@pytest.mark.parametrize(("baseline_s", "candidate_s"), [(2.0, 1.0), (1.0, 2.0)])
def test_where_the_harness_overlaps_neither_gain_nor_loss_is_made_up(baseline_s: float, candidate_s: float) -> None:
    windows = (Window(1, "baseline", (baseline_s, candidate_s), (baseline_s, candidate_s)),)
    samples = Samples("w", "as-called", (1, 1), (0.4, 0.4), (0.4, 0.4), windows)
    ratios = [math.log((baseline_s - harness) / (candidate_s - harness)) for harness in (0.0, 0.4)]
    assert cautious(samples).log_ratio() == pytest.approx(min(ratios))


def test_an_input_that_is_given_other_storage_is_refused(tmp_path: Path) -> None:
    text = "import torch\ndef f(x):\n    x.data = x * 2\n\ndef get_inputs():\n    return [torch.randn(4, 4)]\n"
    with Judge("cpu", arm_launcher(tmp_path / ".outpace"), tmp_path / ".outpace") as judge:
        code = Code(str(tmp_path / "f.py"), text, "f", "function")
        with pytest.raises(TargetError, match="gives an input other storage"):
            judge.set_target(code, [WORKLOAD])
