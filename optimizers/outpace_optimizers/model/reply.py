"""What a model has to answer with, and the reading of what it does answer with.

One idea is read wherever it stands in an answer and in whichever of the usual forms, as long as it can mean one thing
only: JSON with prose around it, in a fence, after thoughts, in a tool call, with a comma too many; search/replace
blocks, diffs, whole definitions. Nothing is guessed: two ideas, a text that ends early, an escape that is none, a field
that nobody knows are each refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from outpace_audit.codec import WrongField, decode
from outpace_audit.errors import OutpaceError
from outpace_audit.records import NumericsClass
from outpace_optimizers.model.blocks import BlockError, blocks
from outpace_optimizers.model.code_blocks import code_blocks
from outpace_optimizers.model.fields import NAMES, message_of, named
from outpace_optimizers.model.legible import one_line
from outpace_optimizers.model.lenient import Broken, Found, objects, whole
from outpace_optimizers.model.reasoning import without_reasoning

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
WRAPPING = 4
"""Levels of objects around an idea, as tool calls have them."""
UNTITLED = "a change without a title"
_TAG = re.compile(r"</?[a-z_]+>")


class ReplyError(OutpaceError):
    """A reply that cannot become a trial. The message, one line, is for the model, which may try again."""

    def __init__(self, reason: str) -> None:
        super().__init__(one_line(reason, REASON_CHARACTERS))


@dataclass(frozen=True, slots=True)
class Edit:
    """`search` stands once where something may change; `replace` takes its place. `file`: where the reply names one."""

    search: str
    replace: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """One idea as the model wrote it down: edits, or `code` with whole definitions, or a whole text of C++."""

    title: str
    rationale: str
    numerics: Literal["exact", "tolerant"]
    edits: tuple[Edit, ...]
    code: str = ""

    @property
    def claimed_class(self) -> NumericsClass:
        return self.numerics


def read_reply(text: str, *, cut: bool = False, missing: str = "", known: str = "") -> Draft:
    """`missing`: why there is no text, where the provider says so. `known`: the file as it is. Raises ReplyError,
    naming the field that is wrong and what it should be."""
    if len(text) > REPLY_CHARACTERS:
        raise ReplyError(
            f"the reply has more than the {REPLY_CHARACTERS} characters that are allowed: write a shorter one"
        )
    answer = _answer(text, cut=cut, missing=missing)
    draft = _draft(answer, known)
    if not draft.code and not 1 <= len(draft.edits) <= EDITS:
        raise ReplyError(f"the reply does not follow the schema: edits: between 1 and {EDITS} are wanted")
    title = one_line(draft.title, TITLE_CHARACTERS) or UNTITLED
    return Draft(title, one_line(draft.rationale, RATIONALE_CHARACTERS), draft.numerics, draft.edits, draft.code)


def _answer(text: str, *, cut: bool, missing: str) -> str:
    """Less what was thought aloud."""
    try:
        whole(text)
    except ValueError:
        answer = without_reasoning(text)
    else:
        return text
    if answer is None:
        raise ReplyError("the reply is thoughts alone, which do not end: think less, and answer with one JSON object")
    if not answer.strip():
        raise ReplyError(missing or "the reply is empty: answer with one JSON object")
    if cut:
        raise ReplyError("the reply was cut off at the limit of its length: write a shorter one")
    return answer


def _draft(answer: str, known: str) -> Draft:
    ideas, titles = _ideas(answer)
    if len(ideas) > 1:
        raise ReplyError(f"the reply has {len(ideas)} ideas, and one is wanted: answer with one JSON object")
    try:
        return decode(Draft, message_of(ideas[0])) if ideas else _otherwise(answer, titles, known)
    except BlockError as error:
        raise ReplyError(f"the edits cannot be read: {error}") from error
    except WrongField as error:
        raise ReplyError(f"the reply does not follow the schema: {error}") from error


def _otherwise(answer: str, titles: Sequence[Mapping[str, Any]], known: str) -> Draft:
    """An idea whose edits are not JSON. Raises BlockError, WrongField or ReplyError."""
    found = [Edit(one.search, one.replace, one.file) for one in blocks(answer)]
    code = [] if found else code_blocks(answer, known)
    if not found and len(code) != 1:
        raise ReplyError(_no_idea(answer, len(code)))
    told = decode(Draft, message_of(titles[0] if len(titles) == 1 else {"title": _first_line(answer)}))
    return replace(told, edits=tuple(found), code=code[0] if code else "")


def _ideas(answer: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Objects with edits, each once; and objects that say all of an idea but its edits. Raises ReplyError where one
    begins that does not end: what stands in it may be a part."""
    broken: Broken | None = None
    ideas, titles = list[dict[str, Any]](), list[dict[str, Any]]()
    for one in _values(answer):
        if isinstance(one, Broken):
            broken = broken or (one if _begins_idea(answer, one) else None)
            continue
        for found in _within(one, WRAPPING):
            if named(found).keys() & {"edits", "code"}:
                ideas += [found] if found not in ideas else []
            else:
                titles += [found] if found not in titles else []
    if broken is not None:
        raise ReplyError(f"the reply is not one JSON object: {broken.reason}")
    return ideas, titles


def _values(answer: str) -> Iterator[dict[str, Any] | Broken]:
    try:
        value = whole(answer)
    except ValueError:
        for one in objects(answer):
            yield one.value if isinstance(one, Found) else one
        return
    if not isinstance(value, (dict, list, str)):
        raise ReplyError("the reply does not follow the schema: it must be an object")
    yield {"": value}


def _begins_idea(answer: str, broken: Broken) -> bool:
    """Not every brace of a program or of prose does."""
    rest, fields = answer[broken.start :], (*NAMES["edits"], *NAMES["code"])
    return any(f"{quote}{name}" in rest for quote in "\"'“" for name in fields)


def _within(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    """Objects that may be an idea, or have its title. A text that is JSON counts as what it says: arguments of tool
    calls are such."""
    if isinstance(value, dict):
        fields = named(value).keys()  # pyright: ignore[reportUnknownArgumentType]
        if fields & {"edits", "code", "title"}:
            yield value
        inner = [] if fields & {"edits", "code"} else [*value.values()]
    elif isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            inner = [whole(value)]
        except ValueError:
            return
    else:
        inner = value if isinstance(value, list) else []
    for one in inner if depth else []:
        yield from _within(one, depth - 1)


def _no_idea(answer: str, codes: int) -> str:
    if codes:
        return f"the reply has {codes} blocks of code, and which is meant is not said: answer with one JSON object"
    try:
        whole(answer)
    except ValueError as error:
        return f"the reply is not one JSON object: {error}"
    return "the reply does not follow the schema: edits: missing"


def _first_line(answer: str) -> str:
    """Of the prose, as a title: a heading, or what is said first."""
    for line in answer.splitlines():
        if line.lstrip().startswith(("```", "~~~", "<<<", "---", "***", "@@", "diff ")):
            return ""
        if plain := _TAG.sub("", line).strip(" \t#*`_"):
            return plain
    return ""
