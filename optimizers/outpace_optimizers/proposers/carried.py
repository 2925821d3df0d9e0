"""What won on a like target of the project, tried first: the same rule's idea on code of that kind, and edits of a
model or the tuner where the very definition that they changed stands here too. Each has an audit of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from outpace_audit.errors import OutpaceError
from outpace_audit.records import Idea, Machine, Patch
from outpace_optimizers.carrying import carried
from outpace_optimizers.model.approach import scope_of
from outpace_optimizers.model.lessons import Scope
from outpace_optimizers.records import CARRIED_RULE, Target
from outpace_optimizers.source import parse
from outpace_optimizers.stored_trial import Winner, gain_of


def edits_for(target: Target, winners: Sequence[Winner]) -> list[Idea]:
    """Of winners that no rule would propose here by itself, in their order."""
    source = parse(target.code.path, target.code.source)
    found: dict[str, Idea] = {}
    for one in winners:
        code = one.stored.target.code
        if one.stored.idea.patch.files or code.id == target.code.id:
            continue
        patch = carried(code.source, one.stored.idea.patch, source, target.name)
        if patch is not None:
            found.setdefault(patch.new_source, _idea(one, patch))
    return list(found.values())


def likely_rules(target: Target, machine: Machine, winners: Sequence[Winner]) -> set[str]:
    """Rules that won on targets like this one."""
    mine = _scope(target, machine)
    return {
        one.stored.idea.rule
        for one in winners
        if mine is not None
        and (theirs := _scope(one.stored.target, machine)) is not None
        and one.stored.target.code.id != target.code.id
        and mine.is_like(theirs)
    }


def _scope(target: Target, machine: Machine) -> Scope | None:
    try:
        return scope_of(target, parse(target.code.path, target.code.source), machine)
    except OutpaceError:
        return None


def _idea(one: Winner, patch: Patch) -> Idea:
    was, code = one.stored.idea, one.stored.target.code
    where = f"{code.symbol} of {Path(code.path).name}"
    rationale = f"on {where} it was accepted with {gain_of(one.stored.verdict)} (verdict {one.stored.verdict.id})"
    return Idea(CARRIED_RULE, f"{was.title}, as on {where}", rationale, was.claimed_class, patch, was.proposer)
