"""What an arm finds changed in its own process."""

from __future__ import annotations

import warnings

import pytest

from outpace_audit.process_state import ProcessState


def test_what_becomes_of_warnings_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    state = ProcessState()
    assert [change.name for change in state.changes()] == []
    monkeypatch.setattr(warnings, "showwarning", print)
    assert [change.name for change in state.changes()] == ["warnings.showwarning"]


def test_warnings_that_were_caught_for_a_while_are_no_change() -> None:
    state = ProcessState()
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
    assert state.changes() == []
