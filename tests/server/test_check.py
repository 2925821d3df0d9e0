"""`outpace check` with a real ledger and a made-up engine."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from cli_fakes import make_engine, make_trial, rejected

from evidence_maker import BASELINE, CANDIDATE, make_evidence
from outpace_audit.errors import EnvironmentMissing, OutpaceError, StaleVerdict
from outpace_optimizers.evidence import write_evidence
from outpace_optimizers.ledger import Ledger
from outpace_optimizers.records import Again, Listener, StageEvent, Trial
from outpace_optimizers.stored_trial import StoredTrial
from outpace_server.cli import main
from outpace_server.commands.engine import Engine


def trials(root: Path) -> list[StoredTrial]:
    """Three accepted changes of files of their own."""
    made = make_evidence(root).trial
    return [
        replace(
            made,
            verdict=replace(made.verdict, id=f"{number:016x}"),
            target=replace(made.target, code=replace(made.target.code, path=str(root / f"work{number}.py"))),
        )
        for number in range(3)
    ]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / ".outpace").mkdir()
    with Ledger(tmp_path / ".outpace") as ledger:
        for stored in trials(tmp_path):
            Path(stored.target.code.path).write_text(BASELINE)
            ledger.finish(stored.verdict.id, stored.verdict.id, asdict(stored))
    return tmp_path


def engine(outcomes: dict[str, Exception | bool], asked: list[str]) -> Engine:
    def recheck(reference: str, root: Path, again: Again, listener: Listener) -> Trial:
        asked.append(reference)
        listener(StageEvent("timing"))
        outcome = outcomes.get(reference, True)
        if isinstance(outcome, Exception):
            raise outcome
        trial = make_trial("x.py", "a", "b")
        return trial if outcome else rejected(trial)

    return make_engine(recheck=recheck)


def check(*arguments: str, workspace: Path, **outcomes: Exception | bool) -> tuple[int, list[str]]:
    asked: list[str] = []
    names = {f"{int(name[1:]):016x}": outcome for name, outcome in outcomes.items()}
    return main(["check", *arguments, "--workspace", str(workspace)], engine(names, asked)), asked


def test_every_accepted_verdict_is_one_line(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, asked = check(workspace=workspace)
    assert (status, len(asked)) == (0, 3)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0] == (
        "✓ holds: work0.py, work: double by multiplying: 1.42× [1.38, 1.46], recorded 1.42× [1.41, 1.43] "
        "(0000000000000000)"
    )


def test_one_that_no_longer_holds_fails_the_check(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _ = check(workspace=workspace, v1=False)
    assert status == 1
    out = capsys.readouterr().out
    assert out.count("✓ holds") == 2 and "✗ no longer holds: work1.py, work: double by multiplying: wrong by far" in out


@pytest.mark.parametrize(
    ("outcome", "said", "expected"),
    [
        (StaleVerdict("work1.py has changed"), "– stale, not measured: work1.py", 0),
        (EnvironmentMissing("no usable cuda device"), "✗ not measured: work1.py", 2),
    ],
)
def test_what_was_not_measured_is_said_so(
    workspace: Path, capsys: pytest.CaptureFixture[str], outcome: OutpaceError, said: str, expected: int
) -> None:
    status, _ = check(workspace=workspace, v1=outcome)
    assert status == expected
    out = capsys.readouterr().out
    assert said in out and str(outcome) in out


def test_a_failure_is_worse_than_an_error(workspace: Path) -> None:
    assert check(workspace=workspace, v0=EnvironmentMissing("x"), v1=False)[0] == 1


def test_json_has_each_with_its_state(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _ = check("--json", workspace=workspace, v1=False, v2=StaleVerdict("changed"))
    assert status == 1
    document = json.loads(capsys.readouterr().out)
    assert [one["state"] for one in document["checks"]] == ["holds", "fails", "stale"]
    held, failed, stale = document["checks"]
    assert held["now"]["speedup"] == 1.42 and held["recorded"]["interval"][0] < 1.42
    assert failed["now"]["accepted"] is False and failed["reason"] == "wrong\nby far"
    assert stale["now"] is None and stale["reason"] == "changed"


def test_a_later_rejection_does_not_hide_an_acceptance(workspace: Path) -> None:
    stored = trials(workspace)[0]
    failed = replace(stored, verdict=replace(stored.verdict, accepted=False))
    with Ledger(workspace / ".outpace") as ledger:
        ledger.finish(stored.verdict.id, stored.verdict.id, asdict(failed))
    assert len(check(workspace=workspace)[1]) == 3


def test_what_would_measure_the_same_is_measured_once(workspace: Path) -> None:
    stored = trials(workspace)[0]
    head = "WIDTH = 3\n"
    newer = replace(
        stored,
        verdict=replace(stored.verdict, id="f" * 16),
        target=replace(stored.target, code=replace(stored.target.code, source=head + BASELINE)),
        idea=replace(stored.idea, patch=replace(stored.idea.patch, new_source=head + CANDIDATE)),
    )
    Path(stored.target.code.path).write_text(head + BASELINE)
    with Ledger(workspace / ".outpace") as ledger:
        ledger.finish("newer", newer.verdict.id, asdict(newer))
    assert len(check(workspace=workspace)[1]) == 3


def test_named_verdicts_and_files_only(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = workspace / "kept.json"
    write_evidence(file, make_evidence(workspace))
    assert check(f"{2:016x}", str(file), workspace=workspace) == (0, [f"{2:016x}", str(file)])
    assert "work2.py" in capsys.readouterr().out


def test_bad_input_is_one_line(workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("abc", workspace=workspace)[0] == 2
    assert "no verdict 'abc'" in capsys.readouterr().err
    (workspace / "cut.json").write_text('{"format": ')
    assert check(str(workspace / "cut.json"), workspace=workspace)[0] == 2
    assert "cut off" in capsys.readouterr().err
    (empty := tmp_path / "empty").mkdir()
    assert check(workspace=empty)[0] == 2
    assert "holds no accepted verdict" in capsys.readouterr().err
