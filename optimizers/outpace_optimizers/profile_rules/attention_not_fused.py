"""Attention as products and a softmax, each of which reads and writes all scores."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, optimizing, percent
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile

CAUSAL = 0.5
"""Of the products, that are needed where a mask lets each row see what comes before it."""
LEAST = 0.05
"""Of the step, with the backward pass."""


class _Rule(Described):
    def suggest(self, profile: Profile) -> Iterator[Suggestion]:
        seconds = sum(one.seconds for one in profile.attention)
        if profile.share(seconds) < LEAST:
            return
        largest = profile.attention[0]
        calls = sum(one.count for one in profile.attention)
        between = seconds - sum(one.products_s for one in profile.attention)
        yield self.suggestion(
            f"attention is written out {calls:.3g}× per step, in {largest.where or 'no function'} with scores of "
            f"{'×'.join(map(str, largest.scores))}: {milliseconds(seconds)} ({percent(profile, seconds)}), of which "
            f"{milliseconds(between)} for the softmax and what else lies between the products",
            "torch.nn.functional.scaled_dot_product_attention: the scores are never written to memory",
            _saved(profile, seconds, seconds - between),
            largest.where,
            edit=optimizing(profile, largest.where),
        )


def _saved(profile: Profile, seconds: float, products_s: float) -> float:
    """A processor is as busy with the products as it was; a device was kept waiting by the scores, also in these."""
    if profile.device is None:
        return seconds - products_s * CAUSAL
    return max(seconds, profile.removable(seconds, sum(one.host_s for one in profile.attention)))


RULE = _Rule("attention-not-fused", "attention is not fused", "tolerant")
