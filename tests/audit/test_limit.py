"""An audit that takes too long is given up without a verdict, and the judge goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from outpace_audit.auditing import Options
from outpace_audit.errors import OutOfResources
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import Code, Workload

BASELINE = """
import torch

def double(x):
    return x + x

def get_inputs():
    return [torch.randn(64)]
"""
SLEEPS = """
import time

def double(x):
    time.sleep(600)
    return x + x
"""


def test_a_candidate_that_is_still_at_work_is_no_verdict(tmp_path: Path) -> None:
    baseline = Code(str(tmp_path / "double.py"), BASELINE, "double", "function")
    state = tmp_path / ".outpace"
    with Judge("cpu", arm_launcher(state, project=tmp_path), state) as judge:
        judge.set_target(baseline, [Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")])
        with pytest.raises(OutOfResources, match="the candidate was still at work when its time was up"):
            judge.audit(replace(baseline, source=SLEEPS), None, Options(limit_s=2.0))
        assert judge.audit(baseline, None, Options(last="L3", limit_s=100.0)).failed is None
