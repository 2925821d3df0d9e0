"""Honest changes never fail L0 to L3, whether they are faster or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from outpace_audit.judge import Judge, Options
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import Code, Workload

TESTS = Path(__file__).parents[1]
CASES = sorted(
    after
    for pattern in ("honest/*/after.py", "optimizers/golden/*/*/after*.py")
    for after in TESTS.glob(pattern)
    if "def get_inputs" in after.read_bytes().decode()
)
"""Written for this test, and what the rules propose."""


def code_of(before: Path, source: str) -> Code:
    symbol = source.splitlines()[0].removeprefix("# target: ").strip()
    kind = "module" if f"class {symbol}" in source else "function"
    return Code(str(before), source, symbol, kind, "get_init_inputs" if "def get_init_inputs" in source else None)


@pytest.mark.parametrize("after", CASES, ids=lambda after: f"{after.parent.name}/{after.stem}")
def test_an_honest_change_passes(after: Path, tmp_path: Path) -> None:
    before = after.parent / "before.py"
    state = tmp_path / ".outpace"
    with Judge("cpu", arm_launcher(state, project=after.parent), state) as judge:
        workload = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
        judge.set_target(code_of(before, before.read_bytes().decode()), [workload])
        verdict = judge.audit(code_of(before, after.read_bytes().decode()), None, Options(last="L3"))
    assert verdict.failed is None, verdict.reason
    assert verdict.level == "L3"
    assert not verdict.accepted, "nothing was timed"
