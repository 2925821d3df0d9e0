"""`outpace train` by hand: the example, the baseline alone, a comparison with its exit status, and wrong words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from outpace_optimizers.training.change import read_change
from outpace_optimizers.training.config import read_target
from outpace_optimizers.training.run import Limits, Runner
from outpace_optimizers.workspace import Workspace
from training_maker import ROOT, edited, make_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("training") / "project")


def outpace(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"XDG_RUNTIME_DIR": str(project.parent)}
    command = [sys.executable, "-m", "outpace_server.cli", "train", *arguments]
    return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, timeout=200)


def test_the_baseline_alone_is_measured_and_it_says_what_runs_can_show(project: Path) -> None:
    done = outpace(project, "--baseline")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split(",")[0] for line in lines[:3]] == [f"baseline {n} of 3" for n in (1, 2, 3)]
    assert lines[3].startswith("baseline, once more, seed ") and lines[3].split()[4:6] == lines[0].split()[5:7]
    assert "spread by" in lines[4] and "3 runs of each side find an effect of" in lines[6]
    plan = json.loads(outpace(project, "--baseline", "--json", "--effect", "0.01").stdout)["plan"]
    assert plan["runs"] == 3 and plan["needed"][0][0] == 0.01 and plan["spread"] > 0


def test_where_no_rule_applies_each_says_why_and_nothing_is_run(project: Path) -> None:
    done = outpace(project)
    assert (done.returncode, done.stderr) == (1, "")
    lines = [line for line in done.stdout.splitlines() if line]
    steps = [
        "fused-optimizer",
        "sync-free-step",
        "autocast-bf16",
        "compiled-model",
        "loader-workers",
        "kept-activations",
    ]
    better = ["averaged-weights", "rates-to-zero", "muon-matrices", "value-ngrams"]
    assert [line.partition(":")[0] for line in lines] == [*steps, "fp8-linear", *better]
    assert all("finds nothing to edit: model.py: " in line and "; train.py: " in line for line in lines)
    document = json.loads(outpace(project, "--json").stdout)
    assert document["accepted"] is False and document["rules"] == {} and document["verdicts"] == lines


def test_a_refusal_has_status_1_and_says_why(project: Path, tmp_path: Path) -> None:
    tree = edited(project, tmp_path, lambda text: text + "#", "evaluate.py")
    done = outpace(project, "--against", str(tree))
    assert done.returncode == 1
    assert "no better training: L0 edited-files: it changes evaluate.py" in done.stdout
    document = json.loads(outpace(project, "--against", str(tree), "--json").stdout)
    assert document["accepted"] is False and document["confirmation"] is None and document["plan"] is None


@pytest.mark.parametrize(
    "words, message",
    [
        (["--against", "missing"], "error: missing: no such folder or patch"),
        (["--runs", "2"], "argument --runs: '2' is no number of runs"),
        (["--effect", "-1"], "argument --effect: '-1' is no effect"),
        (["--tune", "3"], "argument --tune: '3' is no number of settings: a whole number from 4"),
        (["--tune", "8"], "nothing to tune: model.py: it writes no rate"),
        (["--tune", "8", "--baseline"], "not allowed with argument"),
    ],
)
def test_wrong_words(project: Path, words: list[str], message: str) -> None:
    done = outpace(project, *words)
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.splitlines()) == 1


def test_the_example_trains_and_its_metric_is_recomputed(tmp_path: Path) -> None:
    """With fewer steps than it is meant to have."""
    folder = tmp_path / "charlm"
    shutil.copytree(ROOT / "examples/charlm", folder, ignore=shutil.ignore_patterns("__pycache__", ".outpace"))
    text = (folder / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(text.replace("steps = 300", "steps = 60"))
    workspace = Workspace(folder)
    target = read_target(workspace)
    change = read_change(folder / "better_rate.patch", folder, target)
    with Runner(workspace, target, sys.executable) as runner:
        found = runner.run(change, 1, Limits(120.0))
    assert (found.outcome, found.reason, found.touched) == ("finished", "", ())
    assert found.metric == pytest.approx(found.recomputed, rel=1e-5)
    assert found.probed is not None and found.probed.loss == pytest.approx(found.recomputed, rel=1e-5)
    assert found.probed.largest_sum == pytest.approx(1, abs=1e-5) and found.probed.splits == 0
    first, *_, last = (value for _, _, value in found.curve)
    assert last < 0.6 * first and found.claimed_s is not None and 0 < found.claimed_s < found.outside_s
