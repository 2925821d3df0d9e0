"""Attention as products and a softmax, each of which reads and writes all scores."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, optimizing, percent
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Attention, Profile

NEEDED = 0.5
"""Of the products' time, that the fused operator needs at least: a mask may let each row see only what comes before it,
and products of many scores are faster, too, where these are never written."""
BLOCK = 512
"""Keys that torch's operator for processors takes at once: of fewer no mask saves it a product."""
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
            _saved(profile, seconds),
            largest.where,
            edit=optimizing(profile, largest.where),
        )


def _saved(profile: Profile, seconds: float) -> float:
    """A processor is as busy with the products as it was; a device was kept waiting by the scores, also in these."""
    if profile.device is None:
        return seconds - sum(one.products_s * _needed(one) for one in profile.attention)
    return max(seconds, profile.removable(seconds, sum(one.host_s for one in profile.attention)))


def _needed(one: Attention) -> float:
    return 1.0 if one.scores[-1] < BLOCK else NEEDED


RULE = _Rule("attention-not-fused", "attention is not fused", "tolerant")
