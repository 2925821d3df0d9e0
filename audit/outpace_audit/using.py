"""Which other uses of a target `checks.other_uses` looks at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from outpace_audit.facts import TargetFacts
from outpace_audit.seeds import SeedSource
from outpace_audit.sides import Reply


@dataclass(frozen=True, slots=True)
class Use:
    """`request`: what is special about the call. `before`: of a call of the candidate's that comes first."""

    label: str
    request: Mapping[str, Any]
    before: Mapping[str, Any] | None = None
    backward: bool = True

    @property
    def redraws_state(self) -> bool:
        """Which the baseline may not bear."""
        return "state" in self.request


def uses_of(facts: TargetFacts, plain: Reply, seeds: SeedSource) -> Iterator[Use]:
    """`plain`: the baseline's reply to a plain call."""
    inside = {"mode": "inferring"} if facts.trains else {}
    if facts.trains:
        yield from _of_what_trains(plain)
    else:
        yield Use("gradients recorded", {"mode": "recording"})
    if facts.code.kind != "module":
        return
    yield Use("weights in other memory", {**inside, "moved": True}, before=inside, backward=False)
    if plain.buffers:
        state = {"state": seeds.seed("call")}
        yield Use("other state", state)
        if facts.trains:
            yield Use("other state, evaluating", {**state, "mode": "evaluating", "rng_seed": seeds.seed("call")})


def _of_what_trains(plain: Reply) -> Iterator[Use]:
    yield Use("training without gradients", {"mode": "unrecorded"}, backward=False)
    yield Use("a second backward pass", {"twice": True})
    yield Use("cotangents laid otherwise", {"laid": True})
    learning = [leaf.path.startswith("gradient of input ") for leaf in plain.gradients]
    if len(learning) > 1:
        yield Use("some leaves frozen", {"wanted": "some"})
    if any(learning) and not all(learning):
        yield Use("no parameter learns", {"wanted": "inputs"})
