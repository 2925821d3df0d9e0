"""The trial of an evidence file in another copy of the project."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evidence_maker import BASELINE, make_evidence
from outpace_audit.errors import EvidenceError
from outpace_optimizers.elsewhere import place, recorded
from outpace_optimizers.evidence import Evidence, Project
from outpace_optimizers.source import base_hash


def evidence_with_helper(root: Path) -> Evidence:
    evidence = make_evidence(root / "pkg")
    files = {"pkg/work.py": base_hash(BASELINE), "pkg/helper.py": base_hash("x = 1\n")}
    return replace(evidence, project=Project(str(root), files))


def test_files_move_to_the_same_place_in_the_other_tree(tmp_path: Path) -> None:
    evidence, there = evidence_with_helper(tmp_path / "here"), tmp_path / "there"
    (there / "pkg").mkdir(parents=True)
    (there / "pkg" / "helper.py").write_text("x = 1\n")
    placed = place(evidence, there, "e.json")
    assert placed.trial.target.code.path == placed.trial.idea.patch.path == str(there / "pkg" / "work.py")
    assert placed.trial.target.code.source == BASELINE
    assert placed.notes == ()


def test_a_file_that_imports_nothing_of_its_project_needs_none(tmp_path: Path) -> None:
    placed = place(make_evidence(Path("/gone/project")), tmp_path, "e.json")
    assert placed.trial.target.code.path == str(tmp_path / "work.py")


def test_what_the_tree_lacks_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"e\.json: work\.py imports pkg/helper\.py .* --workspace"):
        place(evidence_with_helper(tmp_path / "here"), tmp_path, "e.json")


def test_what_differs_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "helper.py").write_text("x = 2\n")
    placed = place(evidence_with_helper(Path("/gone")), tmp_path, "e.json")
    assert placed.notes == ("pkg/helper.py differs from the one that was measured",)


def test_a_file_chooses_neither_the_interpreter_nor_to_do_without_a_sandbox(tmp_path: Path) -> None:
    evidence = make_evidence(tmp_path)
    hostile = replace(evidence, trial=replace(evidence.trial, python="./evil", unsandboxed=True, checks=("evil.py",)))
    placed = place(hostile, tmp_path, "e.json")
    assert not placed.trial.unsandboxed
    assert placed.trial.request().python is None
    assert placed.trial.checks == () and "evil.py" in placed.notes[0]


def test_the_record_is_told_with_its_interval(tmp_path: Path) -> None:
    verdict = make_evidence(tmp_path).trial.verdict
    assert "accepted, 1.4" in recorded(verdict) and "[" in recorded(verdict) and "Test CPU" in recorded(verdict)
    assert "rejected (wrong)" in recorded(replace(verdict, accepted=False, reason="wrong"))
