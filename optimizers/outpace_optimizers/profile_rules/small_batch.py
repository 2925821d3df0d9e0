"""Kernels that are too small for the device, while most of its memory is free."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, percent, region
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile

LEAST = 0.2
"""Of the step: what the multiprocessors without any block could have done."""
FREE = 0.75
"""Of the device's memory: with four times the batch it would still fit."""


class _Rule(Described):
    def suggest(self, profile: Profile) -> Iterator[Suggestion]:
        device, peak, total = profile.device, profile.run.get("peak_memory"), profile.run.get("total_memory")
        if device is None or not peak or not total or peak > (1 - FREE) * total:
            return
        if profile.share(device.unfilled_s) < LEAST:
            return
        stepping = region(profile, ".step")  # like launching: as long for a larger batch
        yield self.suggestion(
            f"kernels that leave more than half of the multiprocessors without a block take "
            f"{milliseconds(device.sparse_s)} ({percent(profile, device.sparse_s)}), and the step needs "
            f"{peak / 1e9:.3g} GB of the device's {total / 1e9:.3g} GB",
            "a larger batch: more samples in about the same time. It is another training: the learning rate and the "
            "number of steps go with it",
            min(device.unfilled_s + profile.idle_s + (stepping.device_s if stepping else 0.0), profile.step_s),
        )


RULE = _Rule("small-batch", "a small batch, with memory free", "statistical")
