"""`benchmarks/nanochat` at the size of a CPU: real text, real training, and the rule's edit of its script."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import pytest

from outpace_optimizers.training.config import read_target
from outpace_optimizers.training_rules.changes import rule_change
from outpace_optimizers.workspace import Workspace

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

FOLDER = Path(__file__).parents[1] / "benchmarks/nanochat"
SMALL = (
    *("--depth", "2", "--width", "64", "--heads", "2", "--batch", "8", "--micro-batch", "8"),
    *("--evaluate-rows", "32", "--log-every", "10"),
)
SEPARATOR = "\n<|endoftext|>\n"


def ran(folder: Path, *words: str) -> list[dict[str, Any]]:
    """The JSON lines that a script of the benchmark prints."""
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the benchmark with rows of bytes from Python's own help."""
    folder = tmp_path_factory.mktemp("nanochat")
    for path in (*FOLDER.glob("*.py"), FOLDER / "pyproject.toml"):
        (folder / path.name).write_bytes(path.read_bytes())
    texts = list(topics.values())
    (folder / "train.txt").write_text(SEPARATOR.join(text for index, text in enumerate(texts) if index % 10))
    (folder / "val.txt").write_text(SEPARATOR.join(texts[::10]))
    ran(folder, "corpus.py", "--train", "train.txt", "--val", "val.txt", "--length", "64")
    return folder


@pytest.fixture(scope="module")
def baseline(project: Path) -> list[dict[str, Any]]:
    return ran(project, "train.py", "--steps", "30", *SMALL, "--checkpoint", "checkpoint.pt")


def test_packed_rows_hold_the_text_once_and_start_with_a_document(project: Path) -> None:
    rows = np.load(project / "data/train.npy")
    text = (project / "train.txt").read_text().split(SEPARATOR)
    whole, kept = np.bincount(np.frombuffer("".join(text).encode(), np.uint8), minlength=256), np.bincount(rows.ravel())
    assert rows.shape[1] == 65 and set(rows[:, 0]) == {256}
    missing = whole - kept[:256]
    assert missing.min() >= -len(text)  # an empty line before a separator may count for either
    assert missing.sum() <= 65


def test_a_piece_without_room_is_cut_and_its_rest_kept(project: Path) -> None:
    code = "import numpy as np, corpus, json; n = np.arange(1, 8, dtype=np.uint16); print(json.dumps({'rows': "
    (found,) = ran(project, "-c", code + "corpus.pack([n, n], 4, 0).tolist()}))")
    assert found["rows"] == [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, 5, 6, 7, 0]]


def test_it_trains_and_its_metric_is_that_of_its_checkpoint(project: Path, baseline: list[dict[str, Any]]) -> None:
    losses = [line["loss"] for line in baseline if "loss" in line]
    assert losses[-1] < losses[0] - 0.5
    assert baseline[-1]["step"] == 30 and baseline[-1]["epochs"] < 1
    (again,) = ran(project, "evaluate.py", "checkpoint.pt", "--rows", "32")
    rounding = (
        1e-3 if torch.cuda.is_available() else 1e-5
    )  # on a GPU it is computed in bfloat16, compiled there and eager here
    assert again["val_bpb"] == pytest.approx(baseline[-1]["val_bpb"], abs=rounding)


def test_a_seed_decides_and_seconds_end_a_run(project: Path, baseline: list[dict[str, Any]]) -> None:
    other = ran(project, "train.py", "--seconds", "1", "--seed", "3", *SMALL)
    assert baseline[0]["loss"] != other[0]["loss"]
    assert other[-1]["step"] >= 1 and other[-1]["seed"] == 3


def test_the_rule_edits_it_and_the_edit_starts_at_the_same_loss_and_trains(
    project: Path, baseline: list[dict[str, Any]]
) -> None:
    change = rule_change("value-ngrams", project, read_target(Workspace(project))).change
    (data,) = change.files.values()
    assert list(change.files) == ["train.py"] and data is not None
    (project / "ngrams.py").write_text(re.sub(r"ROWS = [\d_]+", "ROWS = 4_093", data.decode()))
    edited = ran(project, "ngrams.py", "--steps", "30", *SMALL)
    assert edited[0]["loss"] == baseline[0]["loss"]
    assert edited[-1]["val_bpb"] < edited[0]["loss"] / np.log(2) - 0.5
    assert edited[-1]["parameters"] - baseline[-1]["parameters"] == 3 * 4093 * 64 + 2 * 3 * 32


def test_scripts_compared_in_turns_and_what_comes_of_it(project: Path) -> None:
    run = {"arm": "baseline", "seconds": 0.5}
    runs = [{**run, "seed": 1}, {**run, "seed": 2}, {**run, "seed": 1, "seconds": 0.2}]
    runs += [{"arm": "other", "seconds": 0.4, "seed": seed} for seed in (1, 2)]
    arms = dict.fromkeys(("baseline", "other"), "train.py")
    (project / "plan.json").write_text(json.dumps({"arms": arms, "runs": runs}))
    lines = ran(project, "compare.py", "plan.json", *SMALL)
    assert [line["arm"] for line in lines if line["kind"] == "run"] == ["baseline"] * 3 + ["other"] * 2
    kept = [json.loads(line) for line in (project / "runs.jsonl").read_text().splitlines()]
    assert all(line["curve"][0]["step"] == 1 for line in kept if line["kind"] == "run")
    words = [sys.executable, str(FOLDER / "summary.py"), "runs.jsonl", "--candidate", "other", "--out", "sum.json"]
    subprocess.run(words, cwd=project, check=True, capture_output=True)
    found = json.loads((project / "sum.json").read_text())
    assert found["budgets_s"] == [0.5, 0.4] and found["comparison"]["n"] == [2, 2]
    assert not found["proven_at_that_ratio"] and found["runs"] == kept


@pytest.mark.parametrize(("short", "told"), [(2.2, True), (2.0, False), (1.9, False), (2.0 + 1e-9, False)])
def test_without_worse_shorter_runs_there_is_no_ratio(tmp_path: Path, short: float, told: bool) -> None:
    """As on a machine that is too busy for more than one step in either."""
    usual = {"kind": "run", "settings": {}, "epochs": 0.1, "tokens_per_second": 10.0}
    runs = [{"kind": "machine", "name": "any", "torch": "any"}]
    runs += [usual | {"arm": "baseline", "budget": 4.0, "seed": n, "val_bpb": 2.0 + 0.001 * n} for n in (1, 2)]
    runs += [usual | {"arm": "baseline", "budget": 2.0, "seed": 1, "val_bpb": short + 0.0015}]
    runs += [usual | {"arm": "other", "budget": 3.0, "seed": n, "val_bpb": 1.99 + 0.001 * n} for n in (1, 2)]
    (tmp_path / "runs.jsonl").write_text("\n".join(map(json.dumps, runs)))
    words = [sys.executable, str(FOLDER / "summary.py"), "runs.jsonl", "--candidate", "other", "--out", "sum.json"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    found = json.loads((tmp_path / "sum.json").read_text())
    assert found["comparison"]["n"] == [2, 2] and found["slope_from_short_runs"] == 1
    assert ("time_to_loss_ratio" in found) == told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("train.py", "--data", "nowhere"), "nowhere/train.npy does not exist: make it with corpus.py"),
        (("train.py", "--batch", "3", "--micro-batch", "2"), "--batch has to be a multiple of --micro-batch"),
        (("corpus.py", "--train", "no.txt", "--val", "val.txt"), "no.txt does not exist"),
        (("corpus.py", "--train", "val.txt", "--val", "val.txt", "--length", "999999"), "less text than one row"),
    ],
)
def test_bad_input_is_one_line(project: Path, words: tuple[str, ...], said: str) -> None:
    done = subprocess.run([sys.executable, *words], cwd=project, capture_output=True, text=True)
    assert done.returncode == 2 and said in done.stderr.splitlines()[-1]
