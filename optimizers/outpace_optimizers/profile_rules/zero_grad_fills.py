"""`zero_grad(set_to_none=False)`: writes zeros that the backward pass then reads and adds to."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, percent, region
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile

LEAST = 0.005
"""Of the step."""


class _Rule(Described):
    def suggest(self, profile: Profile) -> Iterator[Suggestion]:
        found = region(profile, ".zero_grad")
        if found is None or profile.zeroing.count < 1 or profile.share(found.seconds) < LEAST:
            return
        adding = region(profile, "gradient accumulation")
        seconds = sum(profile.removable_of(one) for one in (found, adding) if one is not None)
        yield self.suggestion(
            f"{found.name} fills gradients with zeros ({profile.zeroing.count:.3g} operations per step, "
            f"{milliseconds(found.seconds)}, {percent(profile, found.seconds)}), and the backward pass adds to them",
            "optimizer.zero_grad(set_to_none=True), the default; code that reads .grad before the backward pass must "
            "then expect None",
            min(seconds, profile.step_s),
            found.name,
            ("zero_grad",),
        )


RULE = _Rule("zero-grad-fills", "zero_grad fills gradients with zeros", "exact")
