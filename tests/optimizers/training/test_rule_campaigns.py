"""What rules for better training make of a script, run for real: its edits, and its checks at the end of a run."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from outpace_optimizers.training.audits import of_runs
from outpace_optimizers.training.change import NOTHING, Change
from outpace_optimizers.training.config import read_target
from outpace_optimizers.training.models import was_run
from outpace_optimizers.training.run import Limits, Runner
from outpace_optimizers.training_rules.changes import rule_change
from outpace_optimizers.workspace import Workspace
from training_maker import ROOT

pytest.importorskip("torch")

WOULD_BE = {"metric-recomputed", "probabilities", "causality", "metric-of-losses", "seeds", "protected-files"}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_edits_of_both_rules_go_together_and_pass_the_checks_of_runs(tmp_path: Path) -> None:
    folder = tmp_path / "charlm"
    shutil.copytree(ROOT / "examples/charlm", folder, ignore=shutil.ignore_patterns("__pycache__", ".outpace"))
    workspace = Workspace(folder)
    target = read_target(workspace)
    tree = tmp_path / "edited"
    shutil.copytree(folder, tree)
    for rule in ("averaged-weights", "rates-to-zero"):
        ((path, data),) = rule_change(rule, tree, target).change.files.items()
        assert path == "train.py" and data is not None
        (tree / path).write_bytes(data)
    change = Change({"train.py": (tree / "train.py").read_bytes()})
    assert change.files["train.py"] != (folder / "train.py").read_bytes()
    with Runner(workspace, target, sys.executable) as runner:
        before, after = ([runner.run(one, seed, Limits(200.0)) for seed in (1, 2)] for one in (NOTHING, change))
    assert {run.outcome for run in (*before, *after)} == {"finished"}
    assert all(ours.metric != theirs.metric for ours, theirs in zip(before, after, strict=True))
    checks = [
        check for check in of_runs(before, after, target) if check.name != "outside-clock"
    ]  # others run here, too
    assert {check.name for check in checks if was_run(check)} >= WOULD_BE
    assert all(check.passed for check in checks), [check for check in checks if not check.passed]
