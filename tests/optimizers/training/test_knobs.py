"""Numbers of training scripts as knobs: found by what is done with them, never the seed, and tuned by a search that
proves nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from outpace_optimizers.source import parse
from outpace_optimizers.training.change import Change
from outpace_optimizers.training.config import Budget, Given, TrainingTarget, read_target
from outpace_optimizers.training.reading import TrainingError
from outpace_optimizers.training_knobs.finding import Knob, knobs, written
from outpace_optimizers.training_knobs.search import Tunable, Tuning, tunable
from outpace_optimizers.workspace import Workspace
from training_maker import ROOT

GOLDEN = ROOT / "tests/optimizers/golden_training"


def target(unit: Any = "steps") -> TrainingTarget:
    found = read_target(Workspace(ROOT / "examples/charlm"))
    return replace(found, budget=Budget(unit, 300, Given("--steps")))


def found(text: str, unit: str = "steps") -> dict[str, tuple[str, str]]:
    """Role and text of each, by name."""
    return {one.name: (one.role, text[one.start : one.end]) for one in knobs(parse("train.py", text), target(unit))}


SCRIPT = """import argparse
import math
from dataclasses import dataclass
import torch
from torch.utils.data import DataLoader

WARM_UP, LOWEST = 50, 1e-4
SEED = 1337

@dataclass
class Config:
    decay: float = 0.1
    max_steps: int = 300
    seed: int = 42

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=3e-4)
parser.add_argument("--steps", type=int, default=300)
parser.add_argument("--seed", type=int, default=17)
parser.add_argument("--batch-size", type=int, default=32)
args = parser.parse_args()
config = Config()
torch.manual_seed(SEED)
torch.Generator().manual_seed(config.seed)
torch.cuda.manual_seed_all(args.seed)

def rate(step, most):
    if step < WARM_UP:
        return most * step / WARM_UP
    return LOWEST + (most - LOWEST) * 0.5 * (1 + math.cos(math.pi * step / args.steps))

def main():
    model = torch.nn.Linear(3, 1)
    loader = DataLoader(model.data, batch_size=args.batch_size)
    optimizer = make(model, args.lr)
    for step in range(args.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, args.lr)
        loss = model(next(loader)).mean()
        loss.backward()
        optimizer.step()

def make(model, lr):
    return torch.optim.AdamW([{"params": model.parameters(), "weight_decay": config.decay}], lr=lr, betas=(0.9, 0.95))
"""


def test_numbers_are_found_where_they_are_written() -> None:
    assert found(SCRIPT, "seconds") == {
        "WARM_UP": ("schedule", "50"),
        "LOWEST": ("schedule", "1e-4"),
        "decay": ("decay", "0.1"),
        "lr": ("rate", "3e-4"),
        "batch_size": ("batch", "32"),
    }


def test_rows_of_a_batch_are_no_knob_where_steps_are_counted() -> None:
    """More of them would be more work at the same budget."""
    assert found(SCRIPT).keys() == {"WARM_UP", "LOWEST", "decay", "lr"}


@pytest.mark.parametrize("seed", ["1337", "42", "17"])
@pytest.mark.parametrize("unit", ["steps", "seconds"])
def test_a_seed_is_never_a_knob_even_where_it_is_also_used_as_a_rate(seed: str, unit: str) -> None:
    names = {"1337": "SEED", "42": "config.seed", "17": "args.seed"}
    text = SCRIPT.replace("lr=lr,", f"lr={names[seed]},").replace("rate(step, args.lr)", f"rate(step, {names[seed]})")
    assert names[seed] in text
    numbers = {literal for _, literal in found(text, unit).values()}
    assert not numbers & {"1337", "42", "17", "300"}


def test_what_the_command_gives_is_no_knob() -> None:
    """Its default is never used."""
    given = replace(target(), command=("python", "train.py", "--lr=0.1"))
    assert "lr" not in {one.name for one in knobs(parse("train.py", SCRIPT), given)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lr=lr", "lr=lr * 2"),
        ("args = parser.parse_args()", "args = parser.parse_args()\nargs.lr *= 2"),
        ("make(model, args.lr)\n", "make(model, args.lr) or make(model, 1.0)\n"),
    ],
)
def test_a_rate_that_is_made_of_several_is_left_alone(old: str, new: str) -> None:
    text = SCRIPT.replace("rate(step, args.lr)", "rate(step, 1.0)")
    assert "lr" in found(text) and "lr" not in found(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("case", "names"),
    [
        ("sync-free-step/nanogpt_style", {"learning_rate", "weight_decay"}),
        ("sync-free-step/trainer_class", {"learning_rate"}),
        ("sync-free-step/epochs", {"rate"}),
        ("rates-to-zero/nanogpt_style", {"learning_rate", "min_lr", "warmup_iters", "lr_decay_iters"}),
        ("muon-matrices/transformers_style", {"rate", "weight_decay"}),
    ],
)
def test_scripts_of_several_kinds(case: str, names: set[str]) -> None:
    assert found((GOLDEN / case / "before.py").read_text()).keys() == names


def test_a_setting_changes_its_literals_and_nothing_else() -> None:
    chosen = {one: one.value * 2 for one in knobs(parse("train.py", SCRIPT), target("seconds"))}
    text = written(SCRIPT, chosen)
    expected = SCRIPT
    for old, new in (("50, 1e-4", "100, 0.0002"), ("= 0.1", "= 0.2"), ("3e-4", "0.0006"), ("default=32", "default=64")):
        expected = expected.replace(old, new, 1)
    assert text == expected
    assert written(SCRIPT, {one: one.value for one in chosen}) == SCRIPT


class Fake:
    """Runs at once. The metric is best at `best`, and each seed has a luck of its own for each text."""

    def __init__(self, best: float, luck: float = 0.0, fails: float = math.inf) -> None:
        self.baseline, self.sign, self.best, self.luck, self.fails = "b", -1, best, luck, fails
        self.runs: list[tuple[float, int]] = []

    def look(self, change: Change, seed: int, what: str) -> Any:
        text = change.files.get("train.py")
        value = float(text.split()[-1]) if text else 1.0
        self.runs.append((value, seed))
        if value > self.fails:
            return SimpleNamespace(outcome="diverged", value=None, outside_s=1.0)
        luck = self.luck * (hash((value, seed)) % 1000 / 1000 - 0.5)
        return SimpleNamespace(outcome="finished", value=math.log(value / self.best) ** 2 + luck, outside_s=1.0)


TEXT = "rate = 1.0"
ONE = Tunable("train.py", TEXT, (Knob("rate", "rate", 1.0, False, 0.1, 10.0, 7, 10),))


def tuning(fake: Fake, folder: Path) -> Tuning:
    pytest.importorskip("optuna")
    folder.mkdir(exist_ok=True)
    return Tuning(fake, ONE, folder)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("best", [0.3, 5.0])
def test_the_search_comes_near_the_best_setting(best: float, tmp_path: Path) -> None:
    fake = Fake(best)
    found = tuning(fake, tmp_path).best(16)
    assert found is not None and found[0] == pytest.approx(best, rel=0.5)
    assert len({value for value, _ in fake.runs}) == 16


def test_the_finalists_are_run_with_more_seeds_and_all_with_the_same(tmp_path: Path) -> None:
    fake = Fake(3.0)
    tuning(fake, tmp_path).best(8)
    seeds = list(dict.fromkeys(seed for _, seed in fake.runs))
    assert len(seeds) == 3
    counted = [sum(one == seed for _, one in fake.runs) for seed in seeds]
    assert counted[0] == 8 and counted[1] == counted[2]
    assert counted[1] in (3, 4)  # the present one is always among them


def test_where_the_present_setting_is_the_best_nothing_is_proposed(tmp_path: Path) -> None:
    assert tuning(Fake(1.0), tmp_path).best(12) is None


def test_settings_that_fail_are_never_chosen(tmp_path: Path) -> None:
    found = tuning(Fake(8.0, fails=2.5), tmp_path).best(16)
    assert found is not None and 1 < found[0] <= 2.5


def test_a_search_that_was_stopped_goes_on_from_what_it_ran(tmp_path: Path) -> None:
    first = Fake(3.0)
    found = tuning(first, tmp_path).best(8)
    again = Fake(3.0)
    assert tuning(again, tmp_path).best(8) == found and again.runs == []
    other = Fake(3.0)
    other.baseline = "another"
    tuning(other, tmp_path).best(8)
    assert len(other.runs) >= 8


def test_a_baseline_that_fails_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="the script as it is fails"):
        tuning(Fake(1.0, fails=0.5), tmp_path).best(8)


def test_the_file_is_the_first_that_has_knobs(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torch\n")
    (tmp_path / "train.py").write_text(SCRIPT)
    assert tunable(tmp_path, replace(target(), may_change=("*.py",))).path == "train.py"
    with pytest.raises(TrainingError, match=r"nothing to tune: a\.py: it writes no rate"):
        tunable(tmp_path, replace(target(), may_change=("a.py",)))
