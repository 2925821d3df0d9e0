"""The training rules, built-in ones and third parties', and what they propose for one script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Protocol, runtime_checkable

from outpace_audit.records import Idea, NumericsClass
from outpace_optimizers.rules.registry import Ideas, Trouble, collected, load_group
from outpace_optimizers.source import Source, parse

GROUP = "outpace.training_rules"
_PACKAGE = "outpace_optimizers.training_rules"
_BUILT_IN = ("value_ngrams",)


@runtime_checkable
class TrainingRule(Protocol):
    """An edit of one file of a training script. `id` is kebab-case; `page` is `docs/rules/<id>.md`."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def claimed_class(self) -> NumericsClass: ...
    @property
    def page(self) -> str: ...
    def propose_training(self, source: Source) -> Iterator[Idea]: ...


def load_training_rules() -> tuple[tuple[TrainingRule, ...], tuple[Trouble, ...]]:
    return load_group(GROUP, _PACKAGE, _BUILT_IN, TrainingRule)


def training_ideas(path: str, text: str, rules: Sequence[TrainingRule]) -> Ideas:
    """Raises SourceError where the text is not Python."""
    source = parse(path, text)
    return collected((rule.id, partial(rule.propose_training, source)) for rule in rules)
