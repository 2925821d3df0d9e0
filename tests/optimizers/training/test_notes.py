"""What is said of baselines that finish: one script for each, run for real with the same seed twice."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from outpace_optimizers.training.change import NOTHING
from outpace_optimizers.training.config import Budget, Given, TrainingTarget
from outpace_optimizers.training.notes import notes
from outpace_optimizers.training.reading import Reading
from outpace_optimizers.training.run import Limits, Runner
from outpace_optimizers.workspace import Workspace

STEPS = TrainingTarget(
    command=("python", "train.py"),
    metric=Reading(key="loss"),
    direction="lower",
    budget=Budget("steps", 4, Given(variable="STEPS")),
    seed=Given(variable="SEED"),
    may_change=("*.py",),
    must_not_change=(),
)
SECONDS = replace(STEPS, budget=Budget("seconds", 0.01, Given()), time=Reading(key="seconds"))
START = """
import json, os, random
seed, steps = int(os.environ["SEED"]), int(os.environ.get("STEPS", 1))
rng, unseeded = random.Random(seed), random.Random()
order = 10 ** unseeded.uniform(0, 9)
"""
LINE = 'print(json.dumps({"step": step, "loss": 10 / step + 0.1 * rng.random(), "seconds": 0.01}))'
LOOP = f"{START}for step in range(1, steps + 1):\n    {LINE}\n"
SAID = {
    "sound": (LOOP, STEPS, ""),
    "data order": (LOOP.replace("10 / step", "10 / step + order"), STEPS, "such as the order of the data"),
    "rounding": (LOOP + LINE.replace("rng", "1e-3 * unseeded") + "\n", STEPS, "sums that are not repeatable"),
    "no step": (LOOP.replace('"step": step, ', ""), STEPS, "metric has no step"),
    "half": (LOOP.replace("steps + 1", "steps // 2 + 1"), STEPS, "is that of step 2 of 4 steps"),
    "grows": (LOOP.replace("10 / step", "10 * step"), STEPS, "ends worse than it began"),
    "twice its time": (LOOP, SECONDS, "are outside its own clock"),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_what_is_said_of_a_script_that_finishes(name: str, tmp_path: Path) -> None:
    script, target, expected = SAID[name]
    (tmp_path / "train.py").write_text(script)
    with Runner(Workspace(tmp_path), target, sys.executable) as runner:
        first, second, again = (runner.run(NOTHING, seed, Limits(60.0)) for seed in (1, 2, 1))
    said = list(notes([first, second], again, target))
    assert [expected in note for note in said] == ([True] if expected else [])
