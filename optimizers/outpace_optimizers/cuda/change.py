"""An edit of a CUDA text, by the characters that it replaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextEdit:
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """Of one kernel, whose name begins at character `place`. `rule`: the id of the rule that proposes it."""

    rule: str
    kernel: str
    place: int
    title: str
    edits: tuple[TextEdit, ...]


def changed(text: str, edits: Sequence[TextEdit]) -> str:
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text
