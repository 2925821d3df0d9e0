"""The training rules, built-in ones and third parties', and what they propose for one script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

from outpace_audit.records import Idea, NumericsClass
from outpace_optimizers.rules.registry import Trouble, collected, load_group
from outpace_optimizers.source import Source, parse

from .fitting import DoesNotApply

GROUP = "outpace.training_rules"
_PACKAGE = "outpace_optimizers.training_rules"
_BUILT_IN = (
    "fused_optimizer", "sync_free_step", "autocast_bf16", "compiled_model", "loader_workers",
    "kept_activations", "fp8_linear", "averaged_weights", "rates_to_zero", "muon_matrices", "value_ngrams",
)  # fmt: skip
"""The cheapest to try first."""


@runtime_checkable
class TrainingRule(Protocol):
    """An edit of one file of a training script. `id` is kebab-case; `page` is `docs/rules/<id>.md`. A claimed class of
    "statistical" says that the training becomes another, to be better; any other one that its steps become faster and
    it stays the same. `propose_training` may raise DoesNotApply.
    """

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


@dataclass(frozen=True, slots=True)
class TrainingIdeas:
    """What rules propose for one script; `reasons`, by rule, why one proposes nothing."""

    ideas: tuple[Idea, ...]
    troubles: tuple[Trouble, ...]
    reasons: dict[str, str]


def training_ideas(path: str, text: str, rules: Sequence[TrainingRule]) -> TrainingIdeas:
    """Raises SourceError where the text is not Python."""
    source = parse(path, text)
    reasons: dict[str, str] = {}

    def proposals(rule: TrainingRule) -> Iterator[object]:
        count = 0
        try:
            for count, idea in enumerate(rule.propose_training(source), 1):  # noqa: B007
                yield idea
        except DoesNotApply as reason:
            reasons[rule.id] = str(reason)
            return
        if not count:
            reasons[rule.id] = f"{rule.page} says what it needs"

    found = collected((rule.id, partial(proposals, rule)) for rule in rules)
    return TrainingIdeas(found.ideas, found.troubles, reasons)
