"""compute-sanitizer's say: how an arm comes under it, and what is made of its report."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from outpace_audit import memcheck
from outpace_audit.arm_process import ArmProcess
from outpace_audit.auditing import Options
from outpace_audit.checks import memory_errors
from outpace_audit.checks.evidence import Evidence, MemoryWatch
from outpace_audit.judge import Judge
from outpace_audit.launcher import Launcher, arm_launcher
from outpace_audit.memory_watch import first_finding, has_kernels
from outpace_audit.records import Check, Code, Machine, Workload
from outpace_audit.sandbox import SandboxSpec

REPORT = """\
========= COMPUTE-SANITIZER
========= Invalid __global__ read of size 8 bytes
=========     at {kernel}+0xb0 in twice.py:6
=========     by thread (116,0,0) in block (3,0,0)
========= ERROR SUMMARY: 12 errors
"""
STAND_IN = """\
#!/bin/sh
while case "$1" in --*) true ;; *) false ;; esac; do shift; done
"$@"
exit {status}
"""
"""What stands between the judge and the arm, without a GPU: options, then the program, whose end it waits for."""
TWICE = """
import torch
import triton
import triton.language as tl

@triton.jit
def twice_kernel(x, out, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    value = tl.load(x + at{mask})
    tl.store(out + at, value * 2, mask=at < n)

def twice(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    twice_kernel[(triton.cdiv(x.numel(), 1024),)](x, out, x.numel(), BLOCK=1024)
    return out
"""
SLOW = """
import torch

def twice(x):
    return (x + 1) + (x - 1) + x * 0 + x * 0

def get_inputs():
    return [torch.randn(3_000_001)]
"""


@pytest.fixture(params=[0, memcheck.FOUND])
def watched(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ArmProcess]:
    """An arm below a stand-in for the tool that ends with the status of the parameter."""
    stand_in = tmp_path / memcheck.PROGRAM
    stand_in.write_text(STAND_IN.format(status=request.param))
    stand_in.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    spec = SandboxSpec(required=False, scratch_mb=64, visible=(str(tmp_path),))
    with Launcher(log_dir=tmp_path, sandbox=spec, shared_bytes=1 << 20) as launcher:
        yield launcher.launch(memcheck.ENTRY)


def test_an_arm_goes_on_below_the_tool_and_the_tool_s_status_is_seen(
    watched: ArmProcess, request: pytest.FixtureRequest
) -> None:
    watched.channel.send({"op": "machine", "device": "cpu"})
    assert watched.channel.recv(120.0)["ok"]["device"] == "cpu"
    assert watched.finish(60.0) == request.node.callspec.params["watched"]


def test_the_tool_is_found_beside_cuda_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "cuda"))
    (tmp_path / "cuda" / "bin").mkdir(parents=True)
    monkeypatch.setattr(memcheck, "USUAL", ())
    assert memcheck.program() is None
    tool = tmp_path / "cuda" / "bin" / memcheck.PROGRAM
    tool.write_text("")
    tool.chmod(0o700)
    assert memcheck.program() == str(tool)


@pytest.mark.parametrize(
    ("kernel", "text", "found"),
    [
        ("twice_kernel", TWICE, True),
        ("void twice_kernel<float>(float *, int)", "__global__ void twice_kernel(float* x, int n) {}", True),
        ("void at::native::elementwise<4>(int)", TWICE, False),
    ],
)
def test_the_first_finding_in_a_kernel_of_its_own_is_said(kernel: str, text: str, found: bool) -> None:
    report = REPORT.format(kernel=kernel)
    said = f"Invalid __global__ read of size 8 bytes at {kernel}+0xb0 in twice.py:6" if found else ""
    assert first_finding(report, Code("m.py", text, "twice", "function")) == said


@pytest.mark.parametrize(
    ("text", "kernels"), [(TWICE, True), ("from triton import jit\n", True), (SLOW, False), ("# triton\n", False)]
)
def test_only_what_brings_kernels_is_watched(text: str, kernels: bool) -> None:
    assert has_kernels(Code("m.py", text, "twice", "function")) is kernels


@pytest.mark.parametrize(
    ("seen", "passes", "said"),
    [
        (None, True, "not looked at"),
        (MemoryWatch(4), True, "none in 4 calls"),
        (MemoryWatch(not_seen="no GPU"), True, "no GPU"),
        (MemoryWatch(2, not_seen="too slow"), True, "none in 2 calls; too slow"),
        (MemoryWatch(4, "a read"), False, "a read"),
        (MemoryWatch(0, "a read", not_seen="a call failed"), False, "a read"),
        (MemoryWatch(4, "a read", inherited=True), True, "the baseline has them too: a read"),
    ],
)
def test_what_the_tool_saw_decides(seen: MemoryWatch | None, passes: bool, said: str) -> None:
    code = Code("m.py", SLOW, "twice", "function")
    here = Machine("cuda", "", "", "", 1, "3.12", "2.11", None, None, None)
    evidence = Evidence(code, code, None, "tolerant", here, False, memory=seen)
    check = memory_errors.check(evidence)
    assert (check.passed, check.evidence) == (passes, said)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    folder = tmp_path_factory.mktemp("project")
    state = folder / ".outpace"
    with Judge("cuda", arm_launcher(state, project=folder), state) as judge:
        slow = Code(str(folder / "twice.py"), SLOW, "twice", "function")
        judge.set_target(slow, [Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")])
        yield judge


def failed(judge: Judge, mask: str, *off: str) -> Check | None:
    candidate = replace(judge.facts.code, source=TWICE.format(mask=mask))
    return judge.audit(candidate, None, Options(off=frozenset(off))).failed


@pytest.mark.gpu
@pytest.mark.timed
def test_a_kernel_that_reads_beside_its_input_is_rejected_by_this_check_alone(judge: Judge) -> None:
    if memcheck.program() is None:
        pytest.skip(f"{memcheck.PROGRAM} is not on this machine")
    found = failed(judge, "")
    assert found is not None and found.name == memory_errors.NAME, found
    assert "read" in found.evidence and "twice_kernel" in found.evidence
    assert failed(judge, "", memory_errors.NAME) is None
    assert failed(judge, ", mask=at < n") is None
