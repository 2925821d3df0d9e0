"""A stored change on the text that its file holds now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evidence_maker import BASELINE, CANDIDATE, make_evidence
from outpace_audit.errors import StaleVerdict
from outpace_optimizers.rebase import as_it_is_now, identity, reapplied
from outpace_optimizers.source import base_hash
from outpace_optimizers.stored_trial import StoredTrial

HEAD = "import torch\n\nWIDTH = 3\nDEPTH = 4\n"


@pytest.fixture
def stored(tmp_path: Path) -> StoredTrial:
    return make_evidence(tmp_path).trial


def now(stored: StoredTrial, text: str) -> StoredTrial:
    Path(stored.target.code.path).write_text(text)
    return as_it_is_now(stored)


@pytest.mark.parametrize("text", [BASELINE, CANDIDATE])
def test_an_unchanged_file_and_an_applied_change_are_measured_as_they_were(stored: StoredTrial, text: str) -> None:
    assert now(stored, text) == stored


def test_a_change_beside_it_is_taken_along(stored: StoredTrial) -> None:
    current = now(stored, HEAD + BASELINE)
    assert current.target.code.source == HEAD + BASELINE
    assert current.idea.patch.new_source == HEAD + CANDIDATE
    assert current.idea.patch.base_hash == base_hash(HEAD + BASELINE)


def test_an_applied_change_in_a_changed_file_is_measured_against_the_text_without_it(stored: StoredTrial) -> None:
    current = now(stored, HEAD + CANDIDATE)
    assert current.target.code.source == HEAD + BASELINE
    assert current.idea.patch.new_source == HEAD + CANDIDATE
    assert identity(current) == identity(now(stored, HEAD + BASELINE))


@pytest.mark.parametrize(
    "text", ["", BASELINE.replace("x + x", "x + x + x"), BASELINE + BASELINE, BASELINE.replace("work", "play")]
)
def test_a_change_that_does_not_apply_is_stale(stored: StoredTrial, text: str) -> None:
    with pytest.raises(StaleVerdict, match=r"work\.py has changed where the change is"):
        now(stored, text)


def test_a_file_that_is_not_here_is_taken_from_the_record(stored: StoredTrial) -> None:
    assert as_it_is_now(stored) == stored


def test_a_whole_file_is_stale_once_either_side_has_changed(stored: StoredTrial, tmp_path: Path) -> None:
    candidate = tmp_path / "candidate.py"
    patch = replace(stored.idea.patch, path=str(candidate), spans=())
    whole = replace(stored, whole_file=True, idea=replace(stored.idea, patch=patch))
    candidate.write_text(CANDIDATE)
    assert now(whole, BASELINE) == whole
    with pytest.raises(StaleVerdict, match=r"work\.py has changed"):
        now(whole, HEAD + BASELINE)
    candidate.write_text(HEAD + CANDIDATE)
    with pytest.raises(StaleVerdict, match=r"candidate\.py has changed"):
        now(whole, BASELINE)


def test_two_places_of_one_change_are_both_found_and_line_ends_kept() -> None:
    middle = "".join(f"line {i}\r\n" for i in range(20))
    before, after = f"a = 1\r\n{middle}b = 1\r\n", f"a = 2\r\n{middle}b = 2\r\n"
    moved = f"# new\r\n{before}# end\r\n".replace("line 9", "line nine")
    assert reapplied(before, after, moved) == f"# new\r\n{after}# end\r\n".replace("line 9", "line nine")
    assert reapplied(before, after, moved.replace("b = 1", "b = 3")) is None
