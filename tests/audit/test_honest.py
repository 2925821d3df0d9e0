"""Honest changes never fail L0 to L3, whether they are faster or not.

All that were written for this test are judged, and of what the rules propose a sample that the commit chooses.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from commit_sample import sample
from outpace_audit.auditing import Options
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import Code, Workload

TESTS = Path(__file__).parents[1]
SAMPLE = 16


def judged(pattern: str) -> list[Path]:
    """Those that offer inputs, whose imports are installed, and that build no kernels for CUDA: the judge has a CPU."""
    texts = {after: after.read_bytes().decode() for after in sorted(TESTS.glob(pattern))}
    triton = importlib.util.find_spec("triton") is not None
    lacking = ["__global__", '.cu"', *(["import triton"] if not triton else [])]
    return [a for a, text in texts.items() if "def get_inputs" in text and not any(word in text for word in lacking)]


COMPILED = ("torch-compile", "compile-modes")
PROPOSED = [after for after in judged("optimizers/golden/*/*/after*.py") if after.parts[-3] not in COMPILED]
"""Those take minutes to compile: honest/compiled stands for them."""

CASES = [*judged("honest/*/after.py"), *sample(PROPOSED, SAMPLE)]


def code_of(before: Path, source: str) -> Code:
    symbol = source.splitlines()[0].removeprefix("# target: ").strip()
    kind = "module" if f"class {symbol}" in source else "function"
    return Code(str(before), source, symbol, kind, "get_init_inputs" if "def get_init_inputs" in source else None)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """One for all: starting one takes as long as many an audit."""
    state = tmp_path_factory.mktemp("state") / ".outpace"
    with Judge("cpu", arm_launcher(state, project=TESTS), state) as judge:
        yield judge


@pytest.mark.parametrize("after", CASES, ids=lambda after: f"{after.parent.name}/{after.stem}")
def test_an_honest_change_passes(judge: Judge, after: Path) -> None:
    before = after.parent / "before.py"
    workload = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
    judge.set_target(code_of(before, before.read_bytes().decode()), [workload])
    verdict = judge.audit(code_of(before, after.read_bytes().decode()), None, Options(last="L3"))
    assert verdict.failed is None, verdict.reason
    assert verdict.level == "L3"
    assert not verdict.accepted, "nothing was timed"
