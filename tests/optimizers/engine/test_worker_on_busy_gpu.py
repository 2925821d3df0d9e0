"""What a worker does before it begins on a GPU that somebody else uses."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fake_driver import FakeDriver
from outpace_audit.records import Machine
from outpace_optimizers.engine.protocol import Priority
from outpace_optimizers.engine.worker import SteppedAside, Worker

GPU = Machine("cuda", "GPU", "GPU-1", "CPU", 2, "3.11", "2.13", None, None, None)
CPU = Machine("cpu", "CPU", "", "CPU", 2, "3.11", "2.13", None, None, None)


@pytest.fixture
def training(tmp_path: Path) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "train.py"])
    yield str(process.pid)
    process.kill()
    process.wait()


def admitted(priority: Priority, machine: Machine, aside: threading.Event | None = None) -> list[dict[str, Any]]:
    """The events of a worker that was let begin."""
    out = io.BytesIO()
    worker = Worker(out, priority, aside or threading.Event())
    worker.admit(machine)
    return [json.loads(line)["event"] for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("priority", ["saved", "background"])
def test_work_that_nobody_asked_for_waits_and_says_for_whom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, training: str, priority: Priority
) -> None:
    driver = FakeDriver(tmp_path, monkeypatch)
    driver.says(["97"] * 12 + ["0"], [f"{training}, 40000"])
    (said,) = admitted(priority, GPU)
    assert said["waiting"] and said["text"].startswith("waiting: python")
    assert said["text"].endswith(f"train.py (pid {training}) uses the GPU")


def test_work_that_was_asked_for_says_so_at_once_and_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, training: str
) -> None:
    FakeDriver(tmp_path, monkeypatch).says(["97"], [f"{training}, 40000"])
    (said,) = admitted("interactive", GPU)
    assert said["waiting"] and said["text"].endswith("uses the GPU: nothing is timed before it is free")


def test_work_that_waits_steps_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, training: str) -> None:
    FakeDriver(tmp_path, monkeypatch).says(["97"], [f"{training}, 40000"])
    urgent = threading.Event()
    urgent.set()
    with pytest.raises(SteppedAside):
        admitted("background", GPU, urgent)


@pytest.mark.parametrize(("machine", "who"), [(CPU, "1"), (GPU, str(os.getpid()))], ids=["the CPU", "our own work"])
def test_nothing_is_said_where_nobody_else_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: Machine, who: str
) -> None:
    FakeDriver(tmp_path, monkeypatch).says(["97", "97", "0"], [f"{who}, 40000"])
    monkeypatch.setattr("outpace_audit.gpu_load.SETTLE_S", 60.0)
    assert admitted("background", machine) == []
    assert admitted("interactive", machine) == []
