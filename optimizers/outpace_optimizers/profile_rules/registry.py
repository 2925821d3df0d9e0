"""The profile rules, built-in ones and third parties', and what they suggest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from outpace_audit.records import NumericsClass
from outpace_optimizers.profiles.records import Profile
from outpace_optimizers.rules.registry import Trouble, load_group

GROUP = "outpace.profile_rules"
_PACKAGE = "outpace_optimizers.profile_rules"
_BUILT_IN = (
    "synchronizing_call",
    "data_loader",
    "unpinned_copy",
    "zero_grad_fills",
    "optimizer_loop",
    "tiny_kernels",
    "tf32_off",
    "full_precision",
    "attention_not_fused",
    "small_batch",
    "recomputation",
    "channels_last",
    "garbage_collection",
    "exposed_communication",
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`seconds` of a step are all that following it can save; what it really saves has to be measured."""

    rule: str
    title: str
    evidence: str
    """What the trace shows, with numbers."""
    advice: str
    seconds: float
    numerics: NumericsClass
    where: str = ""
    calls: tuple[str, ...] = ()
    """Names of what is called in the code that it is about (`DataLoader`); an editor marks the first such call."""
    edit: str = ""
    """The command that makes the change and audits it; empty where none does."""


@runtime_checkable
class ProfileRule(Protocol):
    """`id` is kebab-case, `page` a place in the documentation."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def claimed_class(self) -> NumericsClass: ...
    @property
    def page(self) -> str: ...
    def suggest(self, profile: Profile) -> Iterator[Suggestion]: ...


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The one with most at stake first; and which rules could not be loaded, or raised."""

    suggestions: tuple[Suggestion, ...]
    troubles: tuple[Trouble, ...] = ()


def load_profile_rules() -> tuple[tuple[ProfileRule, ...], tuple[Trouble, ...]]:
    return load_group(GROUP, _PACKAGE, _BUILT_IN, ProfileRule)


def suggestions(profile: Profile, rules: Sequence[ProfileRule] | None = None) -> Suggestions:
    """Of all rules, or of those that are named."""
    loaded, troubles = load_profile_rules() if rules is None else (tuple(rules), ())
    found: list[Suggestion] = []
    raised: list[Trouble] = []
    for rule in loaded:
        try:
            found += rule.suggest(profile)
        except Exception as error:  # one rule's bug must not cost the user the others
            raised.append(Trouble(rule.id, f"{type(error).__name__}: {error}"))
    return Suggestions(tuple(sorted(found, key=lambda one: -one.seconds)), (*troubles, *raised))
