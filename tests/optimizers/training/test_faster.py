"""Faster steps, same training: what pairs of runs prove, and whole campaigns on a script that wastes its time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from outpace_optimizers.training.campaign import Options, Report
from outpace_optimizers.training.change import read_change
from outpace_optimizers.training.config import Budget, Given, read_target
from outpace_optimizers.training.faster import FasterCampaign, compare_steps, short_target, what_pairs_find
from outpace_optimizers.training.models import was_run
from outpace_optimizers.training.reading import TrainingError
from outpace_optimizers.training.run import Runner, RunResult
from outpace_optimizers.training.store import opened
from outpace_optimizers.workspace import Workspace
from training_maker import edited, make_project

NOISE = (0.0, 0.01, -0.01, 0.02)
"""Seconds."""


def run(seed: int, losses: list[float], step_s: float, start: float = 1.0) -> RunResult:
    curve = tuple((start + step_s * step, step, loss) for step, loss in enumerate(losses, 1))
    whole = start + step_s * len(losses) + NOISE[seed]
    return RunResult(seed, "finished", "", losses[-1], None, None, whole, curve, (), (), "here")


def side(
    step_s: float, change: Callable[[int, int], float] = lambda seed, step: 0.0, start: float = 1.0
) -> list[RunResult]:
    curves = [[4 / step + 0.01 * seed + change(seed, step) for step in range(1, 11)] for seed in range(4)]
    return [run(seed, losses, step_s, start) for seed, losses in enumerate(curves)]


CASES = {
    "faster, same bits": (side(0.5), "exact", True),
    "as fast": (side(1.0), "exact", False),
    "the time has moved before the first step": (side(0.5, start=6.0), "exact", False),
    "a slower start that the steps pay for": (side(0.5, start=3.0), "exact", True),
    "rounding": (side(0.5, lambda seed, step: 1e-6 * step * (-1) ** seed), "tolerant", True),
    "less precision": (side(0.5, lambda seed, step: 2e-3 * (-1) ** (seed + step)), "lossy", True),
    "another training": (side(0.5, lambda seed, step: 0.05 if step > 5 else 0.0), "other", True),
    "a better training": (side(0.5, lambda seed, step: -0.05 if step > 5 else 0.0), "other", True),
    "fewer steps": ([replace(one, curve=one.curve[:8]) for one in side(0.5)], "other", True),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_pairs_of_runs_prove(name: str) -> None:
    candidate, numerics, faster = CASES[name]
    found = compare_steps(side(1.0), candidate, 1.0, 0.01, 0.01)
    assert (found.numerics, found.faster) == (numerics, faster)
    assert found.low <= found.ratio <= found.high
    if name == "faster, same bits":
        assert found.ratio == pytest.approx(2, rel=0.01) and found.pace_ratio == pytest.approx(2)


def test_it_is_said_what_runs_can_prove_and_how_long_they_had_better_be() -> None:
    enough = what_pairs_find([10.0, 10.05, 9.95], 500, 5, 0.01)
    assert enough == "steps take 10 s of a run: 5 pairs find a speedup of 1.01x in 80% of campaigns"
    short = what_pairs_find([1.0, 2.0, 1.5], 120, 5, 0.01)
    assert "5 pairs find a speedup of 2.52x" in short and "needs more pairs, or runs of some 2269 steps" in short
    few = what_pairs_find([1.0, 2.0, 1.5], 120, 1, 0.01)
    assert few.endswith("1 pairs are too few to find any speedup")


TRIES = 3
"""Three pairs on a machine whose pace changes may not be proof."""
WASTE = "wrong = probabilities(first, second, a, b)"


@pytest.fixture(scope="module")
def wasteful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each step does its work twenty times over."""
    project = make_project(tmp_path_factory.mktemp("wasteful") / "project")
    train = project / "train.py"
    train.write_text(train.read_text().replace(WASTE, f"for _ in range(20):\n            {WASTE}"))
    config = project / "pyproject.toml"
    config.write_text(config.read_text() + 'short = { steps = 2000, flag = "--steps" }\n')
    return project


def compared(project: Path, against: Path, options: Options | None = None) -> Report:
    workspace = Workspace(project)
    target = short_target(read_target(workspace))
    change = read_change(against, project, target)
    with opened(workspace) as store, Runner(workspace, target, sys.executable) as runner:
        return FasterCampaign(workspace, runner, store, options or Options(), lambda line: None).compare(change)


@pytest.mark.timed(alone=True)
def test_work_that_is_left_out_is_proven_and_exact(wasteful: Path, tmp_path: Path) -> None:
    lean = edited(wasteful, tmp_path, lambda text: text.replace("range(20)", "range(1)"))
    reports = (compared(wasteful, lean, Options(fresh=True)) for _ in range(TRIES))
    report = next((one for one in reports if one.accepted), None)
    assert report is not None
    assert report.steps is not None and report.steps.numerics == "exact" and report.steps.low > 1
    names = [check.name for check in report.checks if was_run(check) and check.passed]
    assert names[4:] == ["protected-files", "metric-recomputed", "seeds"]
    for number in range(3):
        seeds = {one.result.seed for one in report.runs if (one.phase, one.number) == ("screening", number)}
        assert len(seeds) == 1


def test_another_training_is_refused_however_fast(wasteful: Path, tmp_path: Path) -> None:
    def edit(text: str) -> str:
        return text.replace("range(20)", "range(1)").replace("RATE = 0.05", "RATE = 0.3")

    report = compared(wasteful, edited(wasteful, tmp_path, edit))
    assert not report.accepted and "it is another training in screening" in report.reason


def test_a_budget_of_seconds_alone_is_none_for_steps(wasteful: Path) -> None:
    target = replace(read_target(Workspace(wasteful)), short=None, budget=Budget("seconds", 3.0, Given()))
    with pytest.raises(TrainingError, match="faster steps need a budget of steps: write short = "):
        short_target(target)
