"""A stored change on its file as it stands now: as it was measured, applied since, or on a text that has changed."""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path

from outpace_audit.errors import StaleVerdict
from outpace_audit.records import Code, Patch
from outpace_optimizers.source import base_hash, lines_of
from outpace_optimizers.stored_trial import StoredTrial
from outpace_optimizers.targets.sol_definition import read_definition
from outpace_optimizers.targets.source_text import read_source

CONTEXT = 3
"""Lines around each changed place that have to be there as they were: what `diff` and `patch` take."""


def as_it_is_now(stored: StoredTrial) -> StoredTrial:
    """The same change, from what its file holds now. Raises StaleVerdict where it no longer applies.

    A change that was applied since is measured against the text without it. Files that came from elsewhere, and are not
    here, are taken as they were.
    """
    code, patch = stored.target.code, stored.idea.patch
    now = text_now(code.path)
    if stored.whole_file:
        _refuse_changed(now, code.source, code.path)
        if not patch.files:
            _refuse_changed(text_now(patch.path), patch.new_source, patch.path)
        return stored
    if now is None or now in (code.source, patch.new_source):
        return stored
    if (changed := reapplied(code.source, patch.new_source, now)) is not None:
        return _with(stored, now, changed)
    if (without := reapplied(patch.new_source, code.source, now)) is not None:
        return _with(stored, without, now)
    raise StaleVerdict(f"{code.path} has changed where the change is, or beside it")


def text_now(path: str) -> str | None:
    """None where there is no such file. A benchmark's reference stands in its problem's definition."""
    file = Path(path)
    if file.is_file():
        return read_source(file).text
    definition = file.with_name("definition.json")
    return read_definition(definition).reference if definition.is_file() else None


def reapplied(before: str, after: str, now: str) -> str | None:
    """`now` with the change from `before` to `after`; None where one of its places is not found, or more than once."""
    old, new, lines = lines_of(before), lines_of(after), lines_of(now)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    start = 0
    for group in matcher.get_grouped_opcodes(CONTEXT):
        block, change = old[group[0][1] : group[-1][2]], new[group[0][3] : group[-1][4]]
        places = [i for i in range(len(lines) - len(block) + 1) if lines[i : i + len(block)] == block]
        if len(places) != 1 or places[0] < start:
            return None
        lines[places[0] : places[0] + len(block)] = change
        start = places[0] + len(change)
    return "".join(lines)


def _refuse_changed(now: str | None, then: str, path: str) -> None:
    if now is not None and now != then:
        raise StaleVerdict(f"{path} has changed since it was judged as a whole")


def _with(stored: StoredTrial, before: str, after: str) -> StoredTrial:
    code: Code = replace(stored.target.code, source=before)
    patch: Patch = replace(stored.idea.patch, base_hash=base_hash(before), new_source=after)
    return replace(stored, target=replace(stored.target, code=code), idea=replace(stored.idea, patch=patch))


def identity(stored: StoredTrial) -> tuple[object, ...]:
    """Equal for trials that would measure the same."""
    code, patch = stored.target.code, stored.idea.patch
    what = code.path, code.symbol, code.source, patch.new_source, patch.files
    return (*what, tuple(workload.id for workload in stored.target.workloads), stored.policy, stored.inference)
