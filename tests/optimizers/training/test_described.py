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
    assert [target.metric.tag, target.metric.file] == [expected["metric"].get(key, "") for key in ("tensorboard", "file")]
    points = [target.metric.point(line) for line in expected.get("lines", [])]
    assert [value for value, _ in points if value is not None] == expected.get("values", [])
    assert [step for _, step in points if step is not None] == expected.get("steps", [])
    times = [value for line in expected.get("lines", []) if target.time and (value := target.time.value(line))]
    assert times == expected.get("time-values", [])
    assert (target.loss is not None) == ("loss" in expected)
