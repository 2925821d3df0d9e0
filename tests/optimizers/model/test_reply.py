from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outpace_optimizers.model.reply import REPLY_CHARACTERS, TITLE_CHARACTERS, ReplyError, read_reply

GOOD: dict[str, Any] = {
    "title": "t",
    "rationale": "r",
    "numerics": "exact",
    "edits": [{"search": "a", "replace": "b"}],
}


def test_bare_and_fenced_objects_are_read() -> None:
    for text in (json.dumps(GOOD), f"```json\n{json.dumps(GOOD)}\n```\n"):
        assert read_reply(text).edits[0].search == "a"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Here you are.", "not one JSON object"),
        (json.dumps(GOOD)[:-5], "not one JSON object"),
        ("[]", "edits: missing"),
        ("3", "must be an object"),
        ('{"title": "a", "title": "b"}', "occurs twice"),
        (json.dumps(GOOD | {"imports": "import os"}), "imports: unknown field"),
        (json.dumps(GOOD | {"edits": [GOOD["edits"][0] | {"more": {}}]}), r"edits\[0\]\.more: unknown field"),
        (json.dumps({k: v for k, v in GOOD.items() if k != "edits"}), "edits: missing"),
        (json.dumps(GOOD | {"numerics": "lossy"}), "numerics: must be one of exact, tolerant"),
        (json.dumps(GOOD | {"edits": []}), "between 1 and"),
        (json.dumps(GOOD | {"edits": [{"search": "a"}]}), r"edits\[0\]\.replace: missing"),
        (json.dumps(GOOD | {"title": 3}), "title: must be text"),
        ("x" * (REPLY_CHARACTERS + 1), "write a shorter one"),
        ("[" * 100_000, "not one JSON object"),
    ],
)
def test_what_does_not_follow_the_schema_is_said_by_field(text: str, said: str) -> None:
    with pytest.raises(ReplyError, match=said):
        read_reply(text)


def test_a_cut_reply_is_not_guessed_at() -> None:
    with pytest.raises(ReplyError, match="cut off"):
        read_reply(f"{json.dumps(GOOD)}\nOr else:", cut=True)


def test_blanks_without_end_after_a_whole_object_cut_nothing_off() -> None:
    """Servers that hold a model to JSON let it write nothing else once it has ended."""
    assert read_reply(json.dumps(GOOD) + "\n" * 500, cut=True).title == "t"


def test_a_title_cannot_steer_a_terminal() -> None:
    title = read_reply(json.dumps(GOOD | {"title": "a\x1b[31m\nb\u202e " + "c" * 300})).title
    assert len(title) == TITLE_CHARACTERS
    assert title.isprintable()


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200) | st.recursive(st.none() | st.text(), lambda inner: st.lists(inner)).map(json.dumps))
def test_nothing_but_a_reply_error_comes_of_nonsense(text: str) -> None:
    with pytest.raises(ReplyError):
        read_reply(text)
