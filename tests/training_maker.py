"""A project that trains a tiny model for real, in a fraction of a second, and campaigns on it."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from outpace_optimizers.training.campaign import Campaign, Options, Report
from outpace_optimizers.training.change import read_change
from outpace_optimizers.training.config import read_target
from outpace_optimizers.training.run import Runner
from outpace_optimizers.training.store import opened
from outpace_optimizers.workspace import Workspace

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "tests/optimizers/training/project"
GRAMMAR = ROOT / "examples/charlm/grammar.py"


def make_project(folder: Path) -> Path:
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    spec = importlib.util.spec_from_file_location("charlm_grammar", GRAMMAR)
    assert spec is not None and spec.loader is not None
    grammar = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(grammar)
    (folder / "data").mkdir()
    for split, size in (("train", 5_000), ("val", 600)):
        (folder / f"data/{split}.txt").write_text(grammar.text(split)[:size])
    return folder


def edited(project: Path, folder: Path, edit: Callable[[str], str], file: str = "train.py") -> Path:
    """A copy of the project, as a user has it after an edit."""
    tree = folder / "candidate"
    shutil.copytree(project, tree, ignore=shutil.ignore_patterns(".outpace", "__pycache__"))
    before = (tree / file).read_text()
    (tree / file).write_text(edit(before))
    assert (tree / file).read_text() != before
    return tree


@contextmanager
def campaign_on(project: Path, options: Options, lines: list[str]) -> Generator[Campaign]:
    workspace = Workspace(project)
    with opened(workspace) as store, Runner(workspace, read_target(workspace), sys.executable) as runner:
        yield Campaign(workspace, runner, store, options, lines.append)


def compared(project: Path, against: Path, options: Options | None = None) -> tuple[Report, list[str]]:
    """The report, and what was said on the way."""
    lines: list[str] = []
    change = read_change(against, project, read_target(Workspace(project)))
    with campaign_on(project, options or Options(), lines) as campaign:
        return campaign.compare(change), lines
