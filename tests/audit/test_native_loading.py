"""Loading files that build extensions: where they build, what of them is loaded for the inputs alone, and what truth is
of code that does not know fp64 from fp32. Nothing is compiled here; tests/test_extensions.py does."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.loading import load_source
from outpace_audit.quick import QuickLooks
from outpace_audit.records import Code, Workload
from outpace_audit.sides import Side

BUILDER = """
import os
from pathlib import Path
import torch
from torch.utils import cpp_extension

def get_inputs():
    return [torch.randn(64, 8)]

FOLDER = os.environ["TORCH_EXTENSIONS_DIR"]
Path(FOLDER).mkdir(parents=True)  # as a build does; a second one in the same folder would raise
BESIDE = Path("beside.txt").read_text()

def scaled(x):
    return x * 2
"""
BYTES = """
import ctypes
import numpy
import torch
import torch.utils.cpp_extension

def scaled(x):
    there = ctypes.string_at(x.contiguous().data_ptr(), 4 * x.numel())  # as a pointer without a type is read
    floats = numpy.frombuffer(there, dtype=numpy.float32)
    return x * 0 + torch.from_numpy(floats.copy()).reshape(x.shape)

def get_inputs():
    return [torch.randn(64, 8)]
"""
WORKLOAD = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Generator[Judge]:
    folder = tmp_path_factory.mktemp("project")
    (folder / "beside.txt").write_text("here")
    with Judge("cpu", arm_launcher(folder / ".outpace", project=folder), folder / ".outpace") as judge:
        judge.set_target(code(folder), [WORKLOAD], scouts=False)
        yield judge


def code(folder: Path) -> Code:
    return Code(str(folder / "builder.py"), BUILDER, "scaled", "function")


def test_inputs_are_made_without_what_they_do_not_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    broken = replace(code(tmp_path), source=BUILDER.replace("BESIDE = ", "BESIDE = 1 / 0, "))
    assert load_source(broken, tmp_path / "scratch", alias="_makers").get_inputs()[0].shape == (64, 8)
    plain = replace(broken, source=broken.source.replace("cpp_extension", "benchmark").replace("EXTENSIONS", "X"))
    monkeypatch.setenv("TORCH_X_DIR", str(tmp_path / "x"))
    with pytest.raises(ZeroDivisionError):
        load_source(plain, tmp_path / "scratch", alias="_makers")


def test_each_text_is_built_in_a_folder_of_its_own_and_finds_its_files(judge: Judge) -> None:
    """The oracle has built already; the fixture would have failed had the inputs been made by a second build."""
    source = BUILDER.replace("Path(FOLDER).mkdir(parents=True)", "Path(FOLDER).mkdir(parents=True, exist_ok=False)")
    for n in range(2):
        other = replace(judge.facts.code, source=source.replace("x * 2", f"x * 2 + {n} * 0"))
        side, _ = judge.side_of(other, "candidate")
        side.close()
        found = list((judge._caches / other.id / "extensions").iterdir())  # pyright: ignore[reportPrivateUsage]
        assert [path.name for path in found] == [other.id]


def test_a_process_that_built_takes_no_other_variant(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    launched: list[str] = []
    launch = judge.launch

    def counted(name: str, cache_key: str, **options: Any) -> Side:
        launched.append(cache_key)
        return launch(name, cache_key, **options)

    monkeypatch.setattr(judge, "launch", counted)
    relaxed = BUILDER.replace("parents=True", "parents=True, exist_ok=True")
    variants = [replace(judge.facts.code, source=relaxed.replace("x * 2", f"x * 2 + {n} * 0")) for n in (5, 6)]
    monkeypatch.setattr(judge, "_facts", replace(judge.facts, code=replace(judge.facts.code, source=relaxed)))
    with QuickLooks(judge, lambda kind, payload: None) as looks:
        for one in variants:
            assert looks.run([one])[0].failure == ""
    assert [key for key in launched if key in {one.id for one in variants}] == [one.id for one in variants]


def test_code_that_reads_fp64_as_something_else_has_no_truth(judge: Judge) -> None:
    folder = Path(judge.facts.code.path).parent
    target = Code(str(folder / "bytes.py"), BYTES, "scaled", "function")
    facts = judge.set_target(target, [WORKLOAD], scouts=False)
    assert "gives something else for fp64" in facts.truth
    honest = replace(target, source=BYTES.replace("x * 0 + torch.from_numpy(floats.copy()).reshape(x.shape)", "x * 2"))
    assert judge.set_target(honest, [WORKLOAD], scouts=False).truth.startswith("fp64")
