"""Checks of third parties, and `everything`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evidence_maker import MACHINE
from outpace_audit import thresholds
from outpace_audit.auditing import Options
from outpace_audit.checks import registry
from outpace_audit.checks.evidence import Evidence
from outpace_audit.checks.foreign import GROUP, load_checks
from outpace_audit.errors import EnvironmentMissing
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import Code, Workload

HACKS = Path(__file__).parents[1] / "hacks"
CHECK = """
from outpace_audit.checks.evidence import AuditCheck
from outpace_audit.records import Check

def run(evidence):
    {body}

CHECK = AuditCheck({name!r}, {level!r}, run)
"""
NO_SOFTMAX = 'return Check("", "L0", "softmax" not in evidence.candidate.source, "looked for softmax")'
SEES_CALLS = 'return Check("", "L0", len(evidence.observations) > 100, f"{len(evidence.observations)} calls seen")'


def write(path: Path, body: str = NO_SOFTMAX, name: str = "no-softmax", level: str = "L0") -> str:
    path.write_text(CHECK.format(body=body, name=name, level=level))
    return str(path)


def code_of(name: str) -> Code:
    path = HACKS / f"{name}.py"
    return Code(str(path), path.read_text(), "attention", "function")


def evidence() -> Evidence:
    return Evidence(code_of("baseline"), code_of("honest"), None, "tolerant", MACHINE, False)


def test_a_file_is_loaded_and_its_result_keeps_its_name_and_level(tmp_path: Path) -> None:
    (check,) = load_checks([write(tmp_path / "mine.py", level="L2")], registry.NAMES)
    found = check.run(evidence())
    assert (found.name, found.level, found.evidence) == ("no-softmax", "L2", "looked for softmax")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise KeyError('x')", "the check itself failed: KeyError"),
        ("return True", "the check itself failed: TypeError"),
    ],
)
def test_a_check_that_fails_itself_has_not_passed(tmp_path: Path, body: str, said: str) -> None:
    (check,) = load_checks([write(tmp_path / "mine.py", body)], registry.NAMES)
    found = check.run(evidence())
    assert not found.passed
    assert said in found.evidence


def test_an_installed_package_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "outpace_test_package.py")
    info = tmp_path / "outpace_test_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outpace-test-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nno-softmax = outpace_test_package:CHECK\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert [check.name for check in load_checks(["no-softmax"], ())] == ["no-softmax"]
    assert load_checks([], ()) == [], "what is installed is not loaded unless it is named"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import not_there\n", "cannot be loaded: ModuleNotFoundError"),
        ("raise SystemExit(3)\n", "cannot be loaded: SystemExit"),
        ("def f(:\n", "cannot be loaded: SyntaxError"),
        ("CHECK = 3\n", "its CHECK must be"),
        ("", "its CHECK must be"),
        (CHECK.format(body=NO_SOFTMAX, name="contract", level="L1"), "a check called contract already"),
        (CHECK.format(body=NO_SOFTMAX, name="mine", level="L5"), "of a level from L0 to L4"),
    ],
)
def test_what_is_no_check_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(EnvironmentMissing, match=said) as caught:
        load_checks([str(path)], registry.NAMES)
    assert "\n" not in str(caught.value)


def test_missing_files_names_and_repetitions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentMissing, match="cannot be loaded: FileNotFoundError"):
        load_checks([str(tmp_path / "gone.py")], ())
    with pytest.raises(EnvironmentMissing, match="no package in the interpreter"):
        load_checks(["gone"], ())
    path = write(tmp_path / "mine.py")
    with pytest.raises(EnvironmentMissing, match="called no-softmax already"):
        load_checks([path, path], ())


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    state = tmp_path_factory.mktemp("state") / ".outpace"
    with Judge("cpu", arm_launcher(state, project=HACKS), state) as judge:
        judge.set_target(code_of("baseline"), [Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")])
        yield judge


@pytest.mark.timed
def test_the_judge_runs_them_at_their_level_and_believes_them(judge: Judge, tmp_path: Path) -> None:
    static = write(tmp_path / "a.py", NO_SOFTMAX.replace("softmax", "scaled_dot_product_attention"))
    verdict = judge.audit(code_of("honest"), None, Options(checks=(static,)))
    assert [check.name for check in verdict.checks] == ["edit-span", "hard-crimes", "no-softmax"]
    assert not verdict.checks[-1].passed
    calls = write(tmp_path / "b.py", SEES_CALLS, "sees-calls", "L3")
    verdict = judge.audit(code_of("honest"), None, Options(checks=(calls,)))
    assert verdict.failed is not None
    assert (verdict.failed.name, verdict.level) == ("sees-calls", "L2")
    assert "calls seen" in verdict.failed.evidence and not verdict.failed.evidence.startswith("0 ")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.timed
def test_everything_goes_on_after_a_failure(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(thresholds.LOOKS, "cpu", ((2, 1.0),))  # what the timing says is not asked
    monkeypatch.setitem(thresholds.SPACING_S, "cpu", 0.0)
    verdict = judge.audit(code_of("drops_scale"), None, Options(everything=True))
    failed = [check.name for check in verdict.checks if not check.passed]
    assert failed[0] == "outputs-against-truth"
    assert {"speedup", "stale-results", "physical-floor"} <= {check.name for check in verdict.checks}
    assert not verdict.accepted and verdict.reason.startswith("outputs-against-truth")
    assert verdict.level == "L1"


def test_everything_shows_no_pass_of_what_saw_nothing(judge: Judge) -> None:
    broken = replace(code_of("honest"), source="def attention(q, k, v):\n    raise ValueError('no')\n")
    verdict = judge.audit(broken, None, Options(everything=True))
    assert [check.name for check in verdict.checks] == ["edit-span", "hard-crimes", "contract"]
    assert not verdict.checks[-1].passed
