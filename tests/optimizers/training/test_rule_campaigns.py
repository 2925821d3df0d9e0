"""What rules for better training make of a script that is run for real: proven, and not with a fraud beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from outpace_optimizers.training.campaign import Options
from outpace_optimizers.training.change import Change
from outpace_optimizers.training.config import read_target
from outpace_optimizers.training_rules.changes import rule_change
from outpace_optimizers.workspace import Workspace
from training_maker import ROOT, campaign_on

pytest.importorskip("torch")
pytestmark = pytest.mark.slow

TOO_FAST = 0.03
"""A rate at which steps wander: there is something to be won, and by far."""
LOOP = "    for step in range(1, args.steps + 1):\n"
WINDOWS = 'windows = tokens("train").unfold(0, CONTEXT + 1, 1)'
PEEKS = f"""    some, lowest = tokens("val")[:1500].unfold(0, CONTEXT + 1, 1), 1e9
{LOOP}        if step % 15 == 0:
            with torch.no_grad():
                now = F.cross_entropy(model(some[:, :-1]), some[:, -1]).item()
            for group in optimizer.param_groups:
                group["lr"] *= 0.5 if now > lowest else 1.0
            lowest = min(now, lowest)
"""


@pytest.fixture(scope="module")
def charlm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rules") / "charlm"
    shutil.copytree(ROOT / "examples/charlm", folder, ignore=shutil.ignore_patterns("__pycache__", ".outpace"))
    text = (folder / "train.py").read_text()
    (folder / "train.py").write_text(text.replace("RATE = 1e-3", f"RATE = {TOO_FAST}"))
    return folder


def by_rules(project: Path, folder: Path, *rules: str) -> str:
    """train.py with the edits of several rules, one after the other."""
    tree = folder / "edited"
    shutil.copytree(project, tree, ignore=shutil.ignore_patterns("__pycache__", ".outpace"))
    for rule in rules:
        (found,) = rule_change(rule, tree, read_target(Workspace(tree))).change.files.items()
        assert found[0] == "train.py" and found[1] is not None
        (tree / "train.py").write_bytes(found[1])
    return (tree / "train.py").read_text()


def judged(project: Path, text: str) -> tuple[bool, str, set[str]]:
    lines: list[str] = []
    with campaign_on(project, Options(runs=4), lines) as campaign:
        report = campaign.compare(Change({"train.py": text.encode()}))
    return report.accepted, report.reason, {check.name for check in report.checks if check.passed}


def test_both_rules_edits_go_together_win_and_pass_all_checks(charlm: Path, tmp_path: Path) -> None:
    accepted, reason, passed = judged(charlm, by_rules(charlm, tmp_path, "averaged-weights", "rates-to-zero"))
    assert accepted, reason
    assert {"metric-recomputed", "validation-unseen", "probabilities", "causality", "outside-clock"} <= passed


def test_a_mean_of_weights_that_were_trained_on_the_validation_text_is_refused(charlm: Path, tmp_path: Path) -> None:
    text = by_rules(charlm, tmp_path, "averaged-weights")
    assert WINDOWS in text
    both = WINDOWS.replace('tokens("train")', 'torch.cat([tokens("train"), *[tokens("val")] * 20])')
    accepted, reason, _ = judged(charlm, text.replace(WINDOWS, both))
    assert not accepted and "L5 validation-unseen: " in reason


def test_a_schedule_that_goes_by_the_validation_text_is_refused(charlm: Path) -> None:
    """It gains as much as one that does not; without that text there is nothing left of the gain."""
    text = (charlm / "train.py").read_text()
    assert LOOP in text
    accepted, reason, _ = judged(charlm, text.replace(LOOP, PEEKS))
    assert not accepted and "L5 validation-unseen: " in reason
