"""What a model has to answer with, and the strict reading of what it does answer with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from outpace_audit.codec import WrongField, decode
from outpace_audit.errors import OutpaceError
from outpace_audit.records import NumericsClass
from outpace_optimizers.model.legible import one_line

REPLY_CHARACTERS = 200_000
"""Of a whole reply; a long kernel has 20,000."""
EDITS = 20
TITLE_CHARACTERS = 100
RATIONALE_CHARACTERS = 600
REASON_CHARACTERS = 600
"""Of why a reply was refused: parts of the reply are quoted in it."""

_TEXT = {"type": "string"}
_EDIT = {
    "type": "object",
    "properties": {"search": _TEXT, "replace": _TEXT},
    "required": ["search", "replace"],
    "additionalProperties": False,
}
_FIELDS = {
    "title": _TEXT,
    "rationale": _TEXT,
    "numerics": {"type": "string", "enum": ["exact", "tolerant"]},
    "edits": {"type": "array", "items": _EDIT},
}
SCHEMA: Mapping[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "name": "idea",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": _FIELDS,
            "required": list(_FIELDS),
            "additionalProperties": False,
        },
    },
}
"""As the OpenAI protocol takes it in `response_format`."""
_FENCED = re.compile(r"\A\s*```(?:json)?[ \t]*\n(.*)\n```\s*\Z", re.DOTALL)


class ReplyError(OutpaceError):
    """A reply that cannot become a trial. The message, one line, is for the model, which may try again."""

    def __init__(self, reason: str) -> None:
        super().__init__(one_line(reason, REASON_CHARACTERS))


@dataclass(frozen=True, slots=True)
class Edit:
    """`search` stands exactly once in the file; `replace` takes its place."""

    search: str
    replace: str


@dataclass(frozen=True, slots=True)
class Draft:
    """One idea as the model wrote it down."""

    title: str
    rationale: str
    numerics: Literal["exact", "tolerant"]
    edits: tuple[Edit, ...]

    @property
    def claimed_class(self) -> NumericsClass:
        return self.numerics


def read_reply(text: str, *, cut: bool = False) -> Draft:
    """Raises ReplyError, naming the field that is wrong and what it should be."""
    if cut:
        raise ReplyError("the reply was cut off at the limit of its length: write a shorter one")
    if len(text) > REPLY_CHARACTERS:
        raise ReplyError(
            f"the reply has more than the {REPLY_CHARACTERS} characters that are allowed: write a shorter one"
        )
    fenced = _FENCED.match(text)
    try:
        message = json.loads(fenced[1] if fenced else text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ReplyError(f"the reply is not one JSON object: {error}") from error
    try:
        draft = decode(Draft, message)
    except WrongField as error:
        raise ReplyError(f"the reply does not follow the schema: {error}") from error
    if not 1 <= len(draft.edits) <= EDITS:
        raise ReplyError(f"the reply does not follow the schema: edits: between 1 and {EDITS} are wanted")
    title = one_line(draft.title, TITLE_CHARACTERS)
    if not title:
        raise ReplyError("the reply does not follow the schema: title: must not be empty")
    return Draft(title, one_line(draft.rationale, RATIONALE_CHARACTERS), draft.numerics, draft.edits)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON leaves open which of two fields of one name counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field occurs twice")
    return found
