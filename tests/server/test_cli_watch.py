"""`outpace watch` in a terminal: what is there is measured, and what is saved is measured again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

SOURCE = """
import math
import torch


def {name}(q, k, v):
    mask = torch.tril(torch.ones(q.size(-2), q.size(-2)))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    return torch.softmax(scores.masked_fill(mask == 0, float("-inf")), dim=-1) @ v


def get_inputs():
    return [torch.randn(2, 4, 64, 16) for _ in range(3)]
"""
PATIENCE_S = 90.0


class Terminal:
    """A running `outpace watch`; every change is rejected within seconds, because under `exact` none is acceptable."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "outpace_server.cli", "watch", str(folder), "--policy", "exact"]
        self.process = subprocess.Popen(
            [*command, "--device", "cpu", "--skip", "torch-compile"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder,
        )  # fmt: skip
        self._lines: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def line_with(self, text: str) -> str:
        seen: list[str] = []
        try:
            while text not in (line := self._lines.get(timeout=PATIENCE_S)):
                seen.append(line)
        except Empty:
            pytest.fail(f"no line with {text!r} in {seen}")
        return line


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "model.py").write_text(SOURCE.format(name="first"))
    (tmp_path / "notes.py").write_text("print('no target')\n")
    return tmp_path


@pytest.fixture
def terminal(project: Path) -> Iterator[Terminal]:
    terminal = Terminal(project)
    yield terminal
    terminal.process.kill()
    terminal.process.wait()


def test_what_is_there_and_what_is_saved_is_measured(project: Path, terminal: Terminal) -> None:
    assert "1 files to measure" in terminal.line_with("watching")
    terminal.line_with("model.py: first: 1 change tried")
    (project / "model.py").write_text(SOURCE.format(name="second"))
    terminal.line_with("model.py: second: 1 change tried")
    (project / "broken.py").write_text("def get_inputs(:\n")
    assert "broken.py:1" in terminal.line_with("broken.py: not measured")

    terminal.process.send_signal(signal.SIGINT)
    assert terminal.process.wait(PATIENCE_S) == 130


def test_no_such_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "outpace_server.cli", "watch", str(tmp_path / "gone")]
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ, timeout=60)
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)
    assert "no such folder" in ran.stderr
