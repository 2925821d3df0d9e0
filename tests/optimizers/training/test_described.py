"""Scripts of other kinds are described from what they do; `expected.toml` was written before anything read them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import tomllib

from outpace_optimizers.training.config import read_target
from outpace_optimizers.training.reading import TrainingError
from outpace_optimizers.training_description.describing import describe
from outpace_optimizers.workspace import Workspace
from outpace_server.cli import main

KINDS = sorted(path.parent for path in (Path(__file__).parent / "described").glob("*/expected.toml"))
ANSWERS = {"speedrun_style": 'seed = { environment = "SEED" }\n'}
"""What its author has to say, because the script does not."""


def project_of(kind: Path, folder: Path) -> Path:
    return Path(shutil.copytree(kind, folder / "project", ignore=shutil.ignore_patterns("expected.toml")))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_script_is_described(kind: Path, tmp_path: Path) -> None:
    expected: dict[str, Any] = tomllib.loads((kind / "expected.toml").read_text())
    project = project_of(kind, tmp_path)
    found = describe(project)
    table = tomllib.loads(found.text())["tool"]["outpace"]["training"]
    keys = ("command", "direction", "budget", "seed", "may-change", "must-not-change", "validation")
    assert {key: table.get(key) for key in keys} == {key: expected.get(key) for key in keys}
    assert set(expected.get("open", [])) <= set(found.open)
    (project / "pyproject.toml").write_text(found.text() + ANSWERS.get(kind.name, ""))
    target = read_target(Workspace(project))
    assert [target.metric.tag, target.metric.file] == [
        expected["metric"].get(key, "") for key in ("tensorboard", "file")
    ]
    points = [target.metric.point(line) for line in expected.get("lines", [])]
    assert [value for value, _ in points if value is not None] == expected.get("values", [])
    assert [step for _, step in points if step is not None] == expected.get("steps", [])
    times = [value for line in expected.get("lines", []) if target.time and (value := target.time.value(line))]
    assert times == expected.get("time-values", [])
    assert (target.loss is not None) == ("loss" in expected)


def test_the_command_prints_a_description_and_names_it_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = project_of(next(kind for kind in KINDS if kind.name == "steps_and_json"), tmp_path)
    (project / "pyproject.toml").write_text("[project]\nname = 'a'\n")
    monkeypatch.chdir(project)
    assert main(["train"]) == 2
    assert "`outpace train --describe` prints one for scripts/train_classifier.py" in capsys.readouterr().err
    assert main(["train", "--describe"]) == 0
    table = tomllib.loads(capsys.readouterr().out)["tool"]["outpace"]["training"]
    assert table["metric"] == {"json": "test_rmse"}


def test_several_scripts_have_to_be_told_apart(tmp_path: Path) -> None:
    project = project_of(next(kind for kind in KINDS if kind.name == "timed_budget"), tmp_path)
    shutil.copy(project / "train.py", project / "train_more.py")
    with pytest.raises(TrainingError, match=r"2 scripts train: train\.py, train_more\.py: name one"):
        describe(project)
    assert describe(project, "train_more.py").lines["command"] == '"python train_more.py"'


def test_what_is_not_seen_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("loss.backward()\noptimizer.step()\n")
    found = describe(tmp_path)
    assert {"metric", "direction", "budget", "seed"} <= set(found.open)
    assert "metric" not in tomllib.loads(found.text())["tool"]["outpace"]["training"]


ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests/optimizers/golden_training"
OTHERS = {
    "averaged-weights/epochs": ("epoch 3: loss 1.25", 1.25, '{ steps = 2, flag = "--epochs" }'),
    "averaged-weights/nanogpt_style": ("step 12: val loss 1.5", 1.5, "{ steps = 24 }"),
    "averaged-weights/trainer_class": ("{'loss': 0.5, 'step': 3, 'epoch': 0}", 0.5, "{ steps = 2 }"),
    "averaged-weights/wrapped": ("step 3: train loss 2.0, val loss 1.5", 1.5, "{ steps = 40 }"),
    "rates-to-zero/unnumbered": ("epoch 2: 0.75", 0.75, '{ steps = 4, flag = "--epochs" }'),
    "autocast-bf16/hf_trainer": ("{'eval_loss': '2.5', 'epoch': '1'}", 2.5, '{ steps = 40, flag = "--max_steps" }'),
}
"""Scripts that were written for training rules: a line that they would print, its metric, their budget."""


@pytest.mark.parametrize("kind", OTHERS)
def test_scripts_of_rules_are_described(kind: str, tmp_path: Path) -> None:
    line, value, budget = OTHERS[kind]
    shutil.copy(GOLDEN / kind / "before.py", tmp_path / "train.py")
    found = describe(tmp_path)
    assert found.lines.get("budget") == budget
    (tmp_path / "pyproject.toml").write_text(
        found.text() + ("" if "seed" in found.lines else 'seed = { environment = "SEED" }\n')
    )  # fmt: skip
    assert read_target(Workspace(tmp_path)).metric.value(line) == value


@pytest.mark.parametrize("folder", ["examples/charlm", "benchmarks/nanochat"])
def test_projects_of_this_repository_are_described_as_they_describe_themselves(folder: str) -> None:
    written = read_target(Workspace(ROOT / folder))
    lines = describe(ROOT / folder).lines
    table: dict[str, Any] = tomllib.loads("\n".join(f"{key} = {value}" for key, value in lines.items()))
    assert (table["metric"]["json"], table["direction"]) == (written.metric.key, written.direction)
    assert table["budget"]["flag"] == written.budget.given.flag and written.budget.unit in table["budget"]
    assert table["seed"]["flag"] == written.seed.flag
    assert set(table["may-change"]) <= set(written.may_change)
