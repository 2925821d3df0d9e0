"""Integers that a baseline cannot bear changed in place: they stay, and what it bears changes in timed windows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.perturbation import Perturbation
from outpace_audit.records import Code, Workload

BASELINE = """
import torch

def gather(ids, grid):
    rows, columns = grid.tolist()
    return ids.view(rows, columns).cumsum(0) * 2

def get_inputs():
    return [torch.randint(0, 1000, (512,)), torch.tensor([32, 16])]
"""


@pytest.mark.timed
def test_sizes_among_the_inputs_stay_and_the_rest_is_timed_as_ever(tmp_path: Path) -> None:
    state = tmp_path / ".outpace"
    with Judge("cpu", arm_launcher(state, project=tmp_path), state) as judge:
        code = Code(str(tmp_path / "gather.py"), BASELINE, "gather", "function")
        workload = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
        facts = judge.set_target(code, [workload], scouts=False)
        assert facts.workloads[0].fixed == (1,)
        verdict = judge.audit(replace(code, source=BASELINE.replace(" * 2", ".mul_(2)")))
    failed = verdict.failed
    assert failed is None or failed.name in ("screen", "speedup"), failed


def test_a_fixed_input_has_no_secret_slice() -> None:
    ids, grid = torch.arange(512), torch.tensor([32, 16])
    assert Perturbation([ids, grid], 1, spreads=True).chosen == [0, 1]
    assert Perturbation([ids, grid], 1, spreads=True, fixed=(1,)).chosen == [0]
    assert Perturbation([ids, grid], 1, spreads=True, fixed=(0, 1)).chosen == []
