"""`outpace profile` by hand: what it prints for a script, its page, differences, stale code, and wrong words."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import torch


def heavy(x):
    for _ in range(30):
        x = torch.tanh(x)
    return x


def light(x):
    return x + 1


w = torch.nn.Parameter(torch.ones(128))
optimizer = torch.optim.Adam([w])
for step in range(1000):
    optimizer.zero_grad()
    heavy(light(torch.ones(512, 128) * w)).sum().backward()
    optimizer.step()
"""
QUICK = ("--warmup", "1", "--timed", "1", "--steps", "2")


def outpace(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "outpace_server.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With one profile."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "pyproject.toml").touch()
    (folder / "train.py").write_text(SCRIPT)
    ran = outpace(folder, "profile", *QUICK, "--html", "page.html", "--", sys.executable, "train.py")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == ""
    assert re.search(r"heavy .*×  train\.py:5", ran.stderr), ran.stderr
    assert "not worth a GPU second" in ran.stderr
    return folder


def name_of(project: Path) -> str:
    (run,) = (project / ".outpace/profiles").glob("*.run.json")
    return run.name.removesuffix(".run.json")


def test_what_it_keeps_and_reads_again(project: Path) -> None:
    name = name_of(project)
    kept = {path.name for path in (project / ".outpace/profiles").iterdir()}
    assert kept == {f"{name}{ending}" for ending in (".run.json", ".profile.json", ".pt.trace.json.gz")}
    for words in ([], [name], [f".outpace/profiles/{name}.pt.trace.json.gz"]):
        ran = outpace(project, "profile", "--json", *words)
        document = json.loads(ran.stdout)
        targets = {one["target"]: one for one in document["targets"]}
        heavy = targets["heavy"]
        assert heavy["share"] == pytest.approx(heavy["seconds"] / document["step_seconds"])
        assert heavy["best_gain"] == pytest.approx(1 / (1 - heavy["share"]))
        assert (heavy["line"], heavy["stale"], heavy["worth_it"]) == (5, False, True)
        assert document["attributed_share"] > 0.95
        assert document["run"]["main"] == str(project / "train.py")


def test_the_page_needs_nothing_else_and_runs_nothing(project: Path) -> None:
    page = (project / "page.html").read_text()
    assert "heavy" in page and "train.py:5" in page
    assert "<script" not in page and "http" not in page.replace('http-equiv="Content-Security-Policy"', "")


def test_a_function_that_has_changed_is_stale_and_others_are_not(project: Path) -> None:
    (project / "train.py").write_text(SCRIPT.replace("range(30)", "range(3)").replace("x + 1", "x + 1  # why"))
    targets = {one["target"]: one for one in json.loads(outpace(project, "profile", "--json").stdout)["targets"]}
    (project / "train.py").write_text(SCRIPT)
    assert (targets["heavy"]["stale"], targets["light"]["stale"]) == (True, False)


def test_two_profiles_are_compared(project: Path) -> None:
    name = name_of(project)
    ran = outpace(project, "profile", "--json", "--diff", name, f".outpace/profiles/{name}.pt.trace.json.gz")
    heavy = next(one for one in json.loads(ran.stdout)["targets"] if one["target"] == "heavy")
    assert heavy["before_seconds"] == heavy["after_seconds"]
    assert "no interval" in outpace(project, "profile", "--diff", name, name).stdout


@pytest.mark.parametrize(
    "words, said",
    [
        (["no-such"], "no profile 'no-such'"),
        (["train.py"], "train.py is a script, not a command: outpace profile -- python train.py"),
        (["--", "no-such-program", "train.py"], "no such command"),
        (["--", "true"], "nothing was recorded"),
        (["pyproject.toml"], "the file is empty"),
        (["--steps", "0"], "no number of steps"),
        (["--diff", "a", "b"], "no profile 'a'"),
        (["--", sys.executable, "-c", "import torch"], "no torch.optim optimizer stepped"),
    ],
)
def test_what_cannot_be_is_one_line(project: Path, words: list[str], said: str) -> None:
    ran = outpace(project, "profile", *words)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_no_profile_yet(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    assert "make one with `outpace profile -- python train.py`" in outpace(tmp_path, "profile").stderr
