"""Activation checkpointing that memory does not need."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, percent
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile

LEAST = 0.05
"""Of the step."""
FULL = 0.8
"""Of the device's memory: what would be kept instead is an estimate, and allocators need room."""


class _Rule(Described):
    def suggest(self, profile: Profile) -> Iterator[Suggestion]:
        again, peak, total = profile.recomputed, profile.run.get("peak_memory"), profile.run.get("total_memory")
        if again is None or not peak or not total or profile.share(again.seconds) < LEAST:
            return
        if peak + again.bytes > FULL * total:
            return
        yield self.suggestion(
            f"the backward pass runs {again.count:.4g} operators of the forward pass again, most of them in "
            f"{again.where or 'no function'}: {milliseconds(again.seconds)} ({percent(profile, again.seconds)}); "
            f"keeping what they make would take about {again.bytes / 1e9:.3g} GB, and of {total / 1e9:.3g} GB "
            f"{(total - peak) / 1e9:.3g} GB are free at the peak",
            "no activation checkpointing, or for fewer layers",
            max(again.seconds, profile.removable(again.seconds, again.host_s)),
            again.where,
            ("checkpoint",),
        )


RULE = _Rule("recomputation", "recomputation that memory does not need", "exact")
