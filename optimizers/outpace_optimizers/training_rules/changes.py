"""What training rules would change of a project, for campaigns to judge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from outpace_audit.errors import SourceError
from outpace_audit.records import Idea
from outpace_optimizers.training.change import Change
from outpace_optimizers.training.config import TrainingTarget
from outpace_optimizers.training.files import matches, walk
from outpace_optimizers.training.reading import TrainingError

from .registry import TrainingRule, load_training_rules, training_ideas

Question: TypeAlias = Literal["better", "faster"]
REASONS_SHOWN = 3
"""Files of a project for which it is said why a rule does not apply."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One rule's edit of one file, and the same as a change of the project."""

    idea: Idea
    path: str
    change: Change

    @property
    def question(self) -> Question:
        return question_of(self.idea.claimed_class)


def question_of(claimed_class: str) -> Question:
    """What a campaign asks of an edit: is training better, or are its steps faster and is it the same?"""
    return "better" if claimed_class == "statistical" else "faster"


def rule_change(name: str, root: Path, target: TrainingTarget) -> Proposal:
    """The first edit that the rule finds in a file that may change. Raises TrainingError."""
    rules, troubles = load_training_rules()
    chosen = [rule for rule in rules if rule.id == name]
    if not chosen:
        broken = "".join(f"; {trouble.rule} did not load: {trouble.message}" for trouble in troubles)
        raise TrainingError(f"{name}: no such training rule: there is {', '.join(rule.id for rule in rules)}{broken}")
    found = _proposal(chosen[0], root, target)
    if isinstance(found, str):
        raise TrainingError(f"{name} {found}: {chosen[0].page} says what it needs")
    return found


def rule_changes(root: Path, target: TrainingTarget) -> tuple[list[Proposal], dict[str, str]]:
    """Of every rule, in the order in which they had better be tried; and why the others propose nothing."""
    rules, troubles = load_training_rules()
    reasons = {trouble.rule: f"did not load: {trouble.message}" for trouble in troubles}
    found: list[Proposal] = []
    for rule in rules:
        try:
            proposal = _proposal(rule, root, target)
        except TrainingError as error:
            proposal = str(error).removeprefix(rule.id).strip()
        if isinstance(proposal, str):
            reasons[rule.id] = proposal
        else:
            found.append(proposal)
    return sorted(found, key=lambda one: one.question == "better"), reasons


def _proposal(rule: TrainingRule, root: Path, target: TrainingTarget) -> Proposal | str:
    """Or why there is none, in a few words."""
    read: list[str] = []
    for path in _scripts(root, target):
        try:
            found = training_ideas(path, (root / path).read_bytes().decode(), [rule])
        except (SourceError, UnicodeDecodeError) as error:
            raise TrainingError(f"{rule.id} can't read {path}: {error}") from error
        if found.troubles:
            raise TrainingError(f"{rule.id} failed on {path}: {found.troubles[0].message}")
        if found.ideas:
            idea = found.ideas[0]
            return Proposal(idea, path, Change({path: idea.patch.new_source.encode()}))
        read.append(f"{path}: {found.reasons[rule.id]}")
    if not read:
        return "finds nothing to edit: no Python file of may-change"
    more = f", and {len(read) - REASONS_SHOWN} files more" if len(read) > REASONS_SHOWN else ""
    return f"finds nothing to edit: {'; '.join(read[:REASONS_SHOWN])}{more}"


def _scripts(root: Path, target: TrainingTarget) -> Iterator[str]:
    return (path for path in sorted(walk(root)) if path.endswith(".py") and matches(path, target.may_change))
