"""Metrics that runs write to files: lines of JSON, and event files written by TensorBoard's own writer."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from outpace_optimizers.training.change import NOTHING
from outpace_optimizers.training.config import Budget, Given, TrainingTarget
from outpace_optimizers.training.reading import Reading
from outpace_optimizers.training.run import Limits, Runner, RunResult
from outpace_optimizers.workspace import Workspace

TARGET = TrainingTarget(
    command=("python", "train.py"),
    metric=Reading(key="loss", file="out/log.jsonl"),
    direction="lower",
    budget=Budget("steps", 4, Given()),
    seed=Given(flag="--seed"),
    may_change=("*.py",),
    must_not_change=(),
)
LINES = """
import json, os
os.makedirs("out", exist_ok=True)
with open("out/log.jsonl", "a") as log:
    for step in range(1, 5):
        print(json.dumps({"step": step, "loss": 10 / step}), file=log)
"""
LINK = 'os.symlink("/etc/hostname", "out/log.jsonl")\nwith open("out/x"'
EVENTS = """
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
writer = EventFileWriter("runs/first")
for step in range(1, 5):
    for tag, value in (("val/loss", 10 / step), ("lr", 0.1)):
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        writer.add_event(Event(step=step, wall_time=0.0, summary=summary))
writer.close()
"""


def ran(folder: Path, script: str, target: TrainingTarget, *, overlay: bool = True) -> RunResult:
    (folder / "train.py").write_text(script)
    with Runner(Workspace(folder), target, sys.executable) as runner:
        runner.overlay = overlay
        return runner.run(NOTHING, 7, Limits(120.0))


@pytest.mark.parametrize("overlay", [True, False], ids=["overlay", "copy"])
def test_lines_of_json_in_a_file_without_those_of_earlier_runs(tmp_path: Path, overlay: bool) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/log.jsonl").write_text('{"step": 1, "loss": 99}\n')
    found = ran(tmp_path, LINES, TARGET, overlay=overlay)
    assert (found.outcome, found.metric) == ("finished", 2.5)
    assert [(step, value) for _, step, value in found.curve] == [(1, 10), (2, 5), (3, 10 / 3), (4, 2.5)]


def test_event_files(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="comes with torch-tb-profiler")
    target = replace(TARGET, metric=Reading(tag="val/loss", file="runs"))
    found = ran(tmp_path, EVENTS, target)
    assert (found.outcome, found.metric) == ("finished", 2.5)
    assert [step for _, step, _ in found.curve] == [1, 2, 3, 4]
    other = ran(tmp_path, EVENTS, replace(target, metric=Reading(tag="loss", file="runs")))
    assert (
        other.outcome == "no-metric" and "nothing that it wrote matches metric (TensorBoard tag 'loss'" in other.reason
    )


@pytest.mark.parametrize(
    "before, after, outcome, reason",
    [
        ("10 / step", "float('nan')", "diverged", "the metric is nan at step 1"),
        ("range(1, 5)", "range(1, 9)", "over-budget", "it is at step 5 of 4 steps"),
        ("out/log.jsonl", "out/other.jsonl", "no-metric", "matches metric (JSON key 'loss' in out/log.jsonl)"),
        ('with open("out/log.jsonl"', LINK, "no-metric", "matches metric"),
    ],
    ids=["diverged", "over its budget", "no such file", "a link"],
)
def test_what_ends_a_run_that_prints_ends_one_that_writes(
    before: str, after: str, outcome: str, reason: str, tmp_path: Path
) -> None:
    found = ran(tmp_path, LINES.replace(before, after), TARGET)
    assert found.outcome == outcome and reason in found.reason
