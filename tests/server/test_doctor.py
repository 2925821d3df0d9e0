"""`outpace doctor`: it measures what it can, and says the rest in one line each."""

from __future__ import annotations

import json
import re
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from outpace_server.cli import main
from outpace_server.doctor import report
from outpace_server.doctor.interpreter import Interpreter, choose_interpreter, probe_interpreter
from outpace_server.doctor.probing import run_probe, run_tool
from outpace_server.doctor.sandbox import UNSHARE, sandbox_abilities
from outpace_server.doctor.tools import nvidia_devices, workspace

FACTS: dict[str, Any] = {
    "python": "3.11.7", "version": [3, 11], "system": "Linux", "architecture": "x86_64",
    "torch": "2.7.0+cu128",
    "torch_problem": None, "triton": "3.3", "cuda": "12.8", "hip": None, "devices": [],
    "clock_resolution_s": 1e-9,
}  # fmt: skip


def script(folder: Path, text: str, name: str = "python") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert status == (0 if document["can_measure"] else 1)
    assert {"interpreter", "devices", "compilers", "sandbox", "timers", "workspace", "problems"} <= set(document)
    assert "A100 (sm_80)" in document["never_run_on"]


def test_lines_for_people(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(report, "probe_interpreter", lambda _: Interpreter("/p", "--python", FACTS, ""))
    monkeypatch.setattr(report, "nvidia_devices", lambda: [
        {"name": "NVIDIA A100", "capability": "sm_80", "memory_bytes": 80 << 30, "uuid": "", "driver": "570"}
    ])  # fmt: skip
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "torch:        2.7.0+cu128 for CUDA 12.8" in out and "NVIDIA A100 (sm_80, 80 GiB, driver 570)" in out
    assert "problem: outpace was never run on A100 (sm_80) before" in out
    assert "problem: this torch cannot use the GPU: only the CPU can be measured" in out


@pytest.mark.parametrize(
    "facts, message",
    [
        ({"torch": None, "torch_problem": "torch is not installed"}, "torch is not installed; run `"),
        (
            {"torch": None, "torch_problem": "torch is broken: ImportError"},
            "torch is broken: ImportError; run `",
        ),
        ({"torch": "2.5.1"}, r"torch 2\.5\.1 is too old"),
        ({"version": [3, 9], "python": "3.9.1"}, r"Python 3\.9\.1 is too old"),
    ],
)
def test_interpreters_that_cannot_measure(tmp_path: Path, facts: dict[str, Any], message: str) -> None:
    answer = json.dumps(FACTS | facts)
    python = script(tmp_path, f"echo noise\ncat <<'EOF'\noutpace-probe:{answer}\nEOF")
    problem = probe_interpreter(python).problem
    assert re.search(message, problem), problem


def test_an_interpreter_that_does_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--python", str(tmp_path / "none")]) == 1
    assert "does not run: No such file or directory; choose another with --python PATH" in capsys.readouterr().out
    crashing = script(tmp_path, "echo 'cannot open shared object' >&2; exit 3")
    assert probe_interpreter(crashing).problem.startswith("does not run: cannot open shared object")
    assert run_probe(script(tmp_path, "exec sleep 60", "slow"), "", 0.2).problem == "gave no answer within 0 s"


def test_choice_of_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    assert choose_interpreter(None)[0] == sys.executable
    (tmp_path / "bin").mkdir()
    active = script(tmp_path / "bin", "exit 0")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    assert choose_interpreter(None) == (active, "$VIRTUAL_ENV")
    assert choose_interpreter("/elsewhere/python") == ("/elsewhere/python", "--python")


def test_nvidia_smi_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path, "echo 'NVIDIA H200, GPU-7, 570.1, 143771, 9.0'; echo garbage", "nvidia-smi")
    monkeypatch.setenv("PATH", str(tmp_path))
    (gpu,) = nvidia_devices()
    assert (gpu["name"], gpu["capability"], gpu["memory_bytes"]) == ("NVIDIA H200", "sm_90", 143771 << 20)
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert nvidia_devices() == []


def test_workspace(tmp_path: Path) -> None:
    assert workspace(tmp_path)["problem"] is None
    assert "no such file" in workspace(tmp_path / "gone")["problem"]


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux")
def test_sandbox_is_tried_for_real() -> None:
    found = sandbox_abilities()
    assert isinstance(found["protections"], list) and found["problem"] is None
    fallback = run_probe(sys.executable, UNSHARE, 20).answer
    assert fallback is not None and set(fallback) == {"protections", "required"}


def test_a_missing_tool_is_no_error() -> None:
    assert run_tool(["/no/such/tool"]) is None
    assert run_tool(["false"]) is None
