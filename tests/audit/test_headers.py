"""Compiled candidates find the C++ headers that were precompiled once, and no process makes them again."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from outpace_audit.errors import JudgeError
from outpace_audit.headers import kept_headers
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.observing import new_request
from outpace_audit.records import Code, Machine, Workload
from outpace_audit.seeds import SeedSource

MACHINE = Machine("cpu", "CPU", "0", "CPU", 2, "3.11", "2.13", None, None, None)
PLAIN = """
import torch

def counted(x):
    return x + x, torch.zeros(2, dtype=torch.int64)

def get_inputs():
    return [torch.randn(64)]
"""
COUNTS = """
import pathlib, tempfile
import torch

@torch.compile
def doubled(x):
    return x + x

def counted(x):
    y = doubled(x)
    found = [*pathlib.Path(tempfile.gettempdir()).glob("torchinductor_*/precompiled_headers/**/*.gch")]
    return y, torch.tensor([len(found), sum(not one.is_symlink() for one in found)])
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
def test_a_compiled_candidate_reads_what_was_made_once(tmp_path: Path) -> None:
    code = Code(str(tmp_path / "counted.py"), PLAIN, "counted", "function")
    with Judge("cpu", arm_launcher(tmp_path / ".outpace", project=tmp_path), tmp_path / ".outpace") as judge:
        facts = judge.set_target(code, [Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")])
        side, _ = judge.side_of(replace(code, source=COUNTS), "candidate")
        reply = side.call(facts.workloads[0].workload, 300.0, **new_request(SeedSource(), None))
        kept = kept_headers(judge.machine, judge.launcher.python, lambda folder: pytest.fail("they are made by now"))
    assert kept is not None
    found = reply.outputs[1].tensor
    assert found is not None
    assert found.tolist() == [len([*kept.rglob("*.gch")]), 0]
    assert found[0] > 0


def test_without_a_compiler_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert kept_headers(MACHINE, sys.executable, lambda folder: pytest.fail("nothing makes them")) is None


def test_what_could_not_be_made_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "g++").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def fails(folder: Path) -> None:
        raise JudgeError("the compiler refused")

    assert kept_headers(MACHINE, sys.executable, fails) is None
    assert kept_headers(MACHINE, sys.executable, lambda folder: None) is None
    assert [*(tmp_path / "cache/outpace/headers").iterdir()] == []
    kept = kept_headers(MACHINE, sys.executable, lambda folder: (folder / "prefix.h").touch())
    assert kept is not None
    assert kept == kept_headers(MACHINE, sys.executable, lambda folder: pytest.fail("they are there"))
    other = kept_headers(MACHINE, "/another/bin/python", lambda folder: (folder / "prefix.h").touch())
    assert other not in (None, kept)
