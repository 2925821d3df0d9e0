"""What a training rule would change of a project, for a campaign to judge."""

from __future__ import annotations

from pathlib import Path

from outpace_audit.errors import SourceError
from outpace_optimizers.training.change import Change
from outpace_optimizers.training.config import TrainingTarget
from outpace_optimizers.training.files import matches, walk
from outpace_optimizers.training.reading import TrainingError

from .registry import load_training_rules, training_ideas


def rule_change(name: str, root: Path, target: TrainingTarget) -> Change:
    """The first edit that the rule finds in a file that may change. Raises TrainingError."""
    rules, troubles = load_training_rules()
    chosen = [rule for rule in rules if rule.id == name]
    if not chosen:
        broken = "".join(f"; {trouble.rule} did not load: {trouble.message}" for trouble in troubles)
        raise TrainingError(f"{name}: no such training rule: there is {', '.join(rule.id for rule in rules)}{broken}")
    read: list[str] = []
    for path in sorted(walk(root)):
        if not path.endswith(".py") or not matches(path, target.may_change):
            continue
        try:
            found = training_ideas(path, (root / path).read_bytes().decode(), chosen)
        except (SourceError, UnicodeDecodeError) as error:
            raise TrainingError(f"{name} can't read {path}: {error}") from error
        if found.troubles:
            raise TrainingError(f"{name} failed on {path}: {found.troubles[0].message}")
        if found.ideas:
            return Change({path: found.ideas[0].patch.new_source.encode()})
        read.append(path)
    where = ", ".join(read) or "no Python file of may-change"
    raise TrainingError(f"{name} finds nothing to edit in {where}: {chosen[0].page} says what it needs")
