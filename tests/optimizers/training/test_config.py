"""`[tool.outpace.training]`: what is read, and the one line that each mistake is answered with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outpace_optimizers.training.config import TrainingTarget, read_target
from outpace_optimizers.training.reading import TrainingError
from outpace_optimizers.workspace import Workspace

GOOD = {
    "command": "\"python train.py --config 'a b'\"",
    "metric": "{ regex = 'val_loss=(\\S+)' }",
    "direction": '"lower"',
    "budget": '{ seconds = 75, environment = "BUDGET" }',
    "seed": '{ flag = "--seed" }',
    "time": '{ json = "seconds" }',
    "may-change": '["train.py", "model/**"]',
    "must-not-change": "[]",
}


def read(folder: Path, **changes: str | None) -> TrainingTarget:
    table = GOOD | {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [f"{name} = {value}\n" for name, value in table.items() if value is not None]
    (folder / "pyproject.toml").write_text("[tool.outpace.training]\n" + "".join(lines))
    return read_target(Workspace(folder))


def test_what_is_read(tmp_path: Path) -> None:
    target = read(tmp_path)
    assert target.command == ("python", "train.py", "--config", "a b")
    assert target.metric.value("step 3 val_loss=2.50 val_loss=2.25") == 2.25
    assert (target.budget.unit, target.budget.amount) == ("seconds", 75.0)
    assert target.budget.given.environ(75.0) == {"BUDGET": "75"}
    assert target.seed.words(3) == ("--seed", "3")
    assert (target.gain(2.0, 1.5), target.evaluation) == (0.5, None)


def test_a_step_and_a_named_value(tmp_path: Path) -> None:
    target = read(tmp_path, metric=r"""{ regex = 'step (?P<step>\d+): (?:train \S+ )?val (?P<value>\S+)' }""")
    assert target.metric.point("step 20: train 1.5 val 2.5") == (2.5, 20)
    assert target.metric.point("step 20: train 1.5") == (None, None)
    assert str(target.metric.value("step 1: val nan")) == "nan"


@pytest.mark.parametrize("line", ["", "{", "[1]", '{"loss": true}', '{"loss": null}', '{"loss": "soon"}', "loss 2"])
def test_lines_that_say_nothing(line: str, tmp_path: Path) -> None:
    assert read(tmp_path, metric='{ json = "loss" }').metric.value(line) is None


@pytest.mark.parametrize(
    ("more", "line", "step"),
    [
        ("", {"step": 3, "epoch": 1}, 3),
        ("", {"epoch": 1, "iter": 40}, 40),
        ("", {"epoch": 1}, 1),
        (', step = "epoch"', {"epoch": 1, "iter": 40}, 1),
        (', step = "round"', {"epoch": 1, "round": 7}, 7),
        ("", {"round": 7}, None),
    ],
)
def test_what_counts_in_a_line_of_json(more: str, line: dict[str, int], step: int | None, tmp_path: Path) -> None:
    metric = read(tmp_path, metric=f'{{ json = "loss"{more} }}').metric
    assert metric.point(json.dumps({**line, "loss": 0.5})) == (0.5, step)


WRONG = [
    ("command", None, 'command is missing: write command = "python train.py"'),
    ("command", '"python \'train.py"', "No closing quotation"),
    ("metric", '"val_loss"', 'metric must be a table such as { json = "val_loss" }'),
    ("metric", '{ regex = "(" }', "metric: regex '(' is none"),
    ("metric", '{ regex = "loss" }', "has no group for the number"),
    ("metric", '{ regex = "(a)", json = "a" }', "metric: name one of regex, json and tensorboard"),
    ("direction", '"down"', 'direction must be "lower" or "higher", whichever is better, not \'down\''),
    ("budget", "{ steps = 10, seconds = 3 }", "budget: name one of steps and seconds"),
    ("budget", "{ steps = 1.5 }", "budget: steps must be a whole number"),
    ("budget", "{ steps = -1 }", "budget: steps must be a number above 0, not -1"),
    ("time", None, "a budget of seconds needs time"),
    ("seed", "{}", "seed: name one of flag and environment"),
    ("seed", '{ flag = "-s", environment = "S" }', "seed: name one of flag and environment"),
    ("may-change", "[]", "may-change is empty"),
    ("may-change", '["../x.py"]', "leaves the project"),
    ("must-not-change", '"data"', "must-not-change must be a list of patterns"),
    ("must-not-change", None, "must-not-change is missing"),
    ("runs", "2", "runs must be a whole number from 3"),
    ("effect", "0", "effect must be a number above 0"),
    ("evaluation", '{ command = "x" }', "evaluation: checkpoint is missing"),
    ("evaluation", '{ command = "x", checkpoint = "/tmp/x" }', "leaves the project"),
    ("model", '"evaluate:load"', "model must be a file and a function in it"),
    ("model", '"evaluate.py:load"', "model: evaluate.py must be one of must-not-change"),
    ("validation", '"val.txt"', "validation must be a list of patterns"),
    ("metric", '{ regex = "(a)", step = "epoch" }', "metric: step names a key beside that of json"),
    ("metric", '{ json = "loss", file = "/tmp/log" }', "leaves the project"),
    ("time", '{ json = "s", file = "log" }', "only the metric of a run is read from a file"),
    ("short", "{ steps = 1.5 }", "short: steps must be a whole number"),
    ("margin", "0", "margin must be a number above 0"),
    ("metrics", '"x"', "no key metrics; did you mean metric?"),
    ("environment", "{ A = 1 }", "environment must be a table of texts"),
]


@pytest.mark.parametrize("key, value, message", WRONG)
def test_a_mistake_is_said_in_one_line_that_names_its_place(
    key: str, value: str | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError) as caught:
        read(tmp_path, **{key: value})
    text = str(caught.value)
    assert text.startswith(f"{tmp_path}/pyproject.toml: [tool.outpace.training]") and message in text
    assert "\n" not in text


def test_no_file_no_table_and_no_toml(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no such file: describe the training run"):
        read_target(Workspace(tmp_path))
    (tmp_path / "pyproject.toml").write_text("[tool.outpace]\nmodel = 'off'\n")
    with pytest.raises(TrainingError, match=r"no \[tool.outpace.training\]: name command"):
        read_target(Workspace(tmp_path))
    (tmp_path / "pyproject.toml").write_text("[tool.outpace\n")
    with pytest.raises(TrainingError, match="correct it"):
        read_target(Workspace(tmp_path))
