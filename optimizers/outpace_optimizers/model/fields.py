"""Fields of an idea as models name and write them, brought into the form that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outpace_audit.codec import WrongField
from outpace_optimizers.model.blocks import Block, blocks, unfenced

NAMES: Mapping[str, tuple[str, ...]] = {
    "title": ("title",),
    "rationale": ("rationale", "reason", "why", "explanation", "description"),
    "numerics": ("numerics", "numerics_class"),
    "edits": ("edits", "edit", "changes", "diff", "patch"),
    "code": ("code", "new_code", "updated_code"),
}
"""Other names that models give to the fields; the first that is there counts."""
SIDES = (
    ("search", "replace"), ("old_string", "new_string"), ("old_str", "new_str"), ("old", "new"), ("find", "replace"),
    ("before", "after"), ("original", "updated"),
)  # fmt: skip
"""Of an edit: as asked for, and as the editing tools have it that models were trained with."""
FILES = ("file", "path", "filename", "file_path", "filepath")
COMMENTS = (
    "analysis", "approach", "comment", "comments", "confidence", "description", "expected_gain", "expected_speedup",
    "explanation", "id", "language", "notes", "note", "reason", "reasoning", "risk", "risks", "summary", "thinking",
    "thought", "thoughts", "why",
)  # fmt: skip
"""Fields that only tell: their texts are left aside. Others might bring code along, and are refused."""
KINDS = ("edit", "modify", "replace", "search_replace", "str_replace", "update")
"""What an edit may say of itself, where it says something."""


def named(found: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of an idea by their own names, whatever else there is."""
    plain = {_plain(name): value for name, value in found.items()}
    return {
        name: next(plain[other] for other in others if other in plain)
        for name, others in NAMES.items()
        if any(other in plain for other in others)
    }


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def message_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """As a draft has its fields. Raises WrongField or BlockError."""
    fields = named(found)
    used = {next(other for other in NAMES[name] if other in {*map(_plain, found)}) for name in fields}
    _refuse_unknown({name: value for name, value in found.items() if _plain(name) not in used}, "")
    if fields.keys() >= {"edits", "code"}:
        raise WrongField("code: unknown field beside edits")
    numerics = fields.get("numerics", "tolerant")
    edits, code = _edits(fields.get("edits", [])), _lines(fields.get("code", ""))
    if _is_rewritten(edits):
        edits, code = [], edits[0]["replace"]
    return {
        "title": fields.get("title", ""),
        "rationale": fields.get("rationale", ""),
        "numerics": numerics.strip().lower() if isinstance(numerics, str) else numerics,
        "edits": edits,
        "code": code,
    }


def _is_rewritten(edits: Any) -> bool:
    """One edit that searches for nothing: its replacement is meant as a whole."""
    match edits:
        case [{"search": str(search), "replace": str()}]:
            return not search.strip()
        case _:
            return False


def _edits(value: Any) -> Any:
    if isinstance(value, str):
        return [_as_edit(one) for one in blocks(value)]
    if isinstance(value, dict):
        return [_edit(value, "edits")]
    if isinstance(value, list):
        found: list[Any] = []
        for number, one in enumerate(value):
            where = f"edits[{number}]"
            found += [_as_edit(block) for block in blocks(one)] if isinstance(one, str) else [_edit(one, where)]
        return found
    return value


def _as_edit(block: Block) -> dict[str, str]:
    return {"search": block.search, "replace": block.replace, "file": block.file}


def _edit(value: Any, where: str) -> Any:
    """An edit by its own names; what is none, as it is."""
    if not isinstance(value, dict):
        return value
    plain = {_plain(name): one for name, one in value.items()}
    sides = next((pair for pair in SIDES if {*pair} <= plain.keys()), SIDES[0])
    found = {name: _lines(plain.pop(side)) for name, side in zip(SIDES[0], sides, strict=True) if side in plain}
    file = next((plain.pop(name) for name in FILES if name in plain), "")
    kind = next((plain.pop(name) for name in ("type", "action", "op", "command") if name in plain), KINDS[0])
    if kind not in KINDS:
        raise WrongField(f"{where}: an edit replaces what it searches for, and does nothing else")
    _refuse_unknown(plain, where)
    return found | ({"file": file} if file else {})


def _refuse_unknown(rest: Mapping[str, Any], where: str) -> None:
    """Numbers and the like bring no code along; nor does what only tells."""
    for name, value in rest.items():
        if (isinstance(value, str) and _plain(name) not in COMMENTS) or isinstance(value, (dict, list)):
            raise WrongField(f"{where}.{name}".lstrip(".") + ": unknown field")


def _lines(value: Any) -> Any:
    """A list of lines as their text; a fence around a text is none of it."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = "\n".join(one.rstrip("\n") for one in value)
    return unfenced(value) if isinstance(value, str) else value
