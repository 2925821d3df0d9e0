"""Indices that count from the end are tried where the baseline reads them so, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import Code, Workload
from outpace_audit.values import WRAPPED

SOURCE = """
import torch

def gathered(table, index):
    return table[index]

def counted(table, index):
    return table * (index >= 0).sum()

def get_inputs():
    return [torch.randn(16, 4), torch.randint(16, (256,))]
"""


@pytest.mark.parametrize(("symbol", "wraps"), [("gathered", True), ("counted", False)])
def test_an_index_from_the_end_has_to_mean_the_same(tmp_path: Path, symbol: str, wraps: bool) -> None:
    state = tmp_path / ".outpace"
    code = Code(str(tmp_path / "f.py"), SOURCE, symbol, "function")
    with Judge("cpu", arm_launcher(state, project=tmp_path), state) as judge:
        facts = judge.set_target(code, [Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")])
    assert (WRAPPED in facts.workloads[0].domain.integer_laws) is wraps


ROWS = """
import torch

def added(table, index):
    return table[index].sum(1)

def gathered(table, index):
    return table[index]

def get_inputs():
    return [torch.randn(16, 4), torch.randint(16, (6, 48))]
"""


@pytest.mark.parametrize(("symbol", "matters"), [("gathered", True), ("added", False)])
def test_neighbours_change_places_only_where_more_than_rounding_moves(
    tmp_path: Path, symbol: str, matters: bool
) -> None:
    state = tmp_path / ".outpace"
    code = Code(str(tmp_path / "f.py"), ROWS, symbol, "function")
    with Judge("cpu", arm_launcher(state, project=tmp_path), state) as judge:
        facts = judge.set_target(code, [Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")])
    assert any(change.how == "crossed" for change in facts.workloads[0].domain.changes) is matters
