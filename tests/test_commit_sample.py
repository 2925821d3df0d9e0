"""What CI leaves out with one commit has its turn with another."""

from __future__ import annotations

import pytest

import commit_sample

NAMES = [f"tests/test_it.py::test_{number}" for number in range(200)]


def chosen(commit: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    monkeypatch.setattr(commit_sample, "commit", lambda: commit)
    return {name for name in NAMES if commit_sample.has_its_turn(name)}


def test_a_commit_chooses_about_half_and_others_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    turns = [chosen(f"{number:040x}", monkeypatch) for number in range(12)]
    assert all(60 < len(turn) < 140 for turn in turns)
    assert turns[0] == chosen(f"{0:040x}", monkeypatch) != turns[1]
    assert set.union(*turns) == set(NAMES)


def test_elsewhere_all_have_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert chosen("a", monkeypatch) == set(NAMES)


def test_a_sample_keeps_the_order_and_depends_on_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit_sample, "commit", lambda: "a")
    first = commit_sample.sample(NAMES, 20)
    assert len(first) == 20 and first == sorted(first, key=NAMES.index) == commit_sample.sample(NAMES, 20)
    monkeypatch.setattr(commit_sample, "commit", lambda: "b")
    assert commit_sample.sample(NAMES, 20) != first
    assert commit_sample.sample(NAMES, 1000) == NAMES
