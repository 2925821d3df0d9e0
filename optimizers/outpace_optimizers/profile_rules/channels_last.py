"""Convolutions whose tensors are turned from NCHW to NHWC and back, because the tensor cores want the latter."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, percent
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile

LEAST = 0.02
"""Of the step."""
TURNING = ("nchwtonhwc", "nhwctonchw")
"""In names of cuDNN's kernels, in small letters."""


class _Rule(Described):
    def suggest(self, profile: Profile) -> Iterator[Suggestion]:
        found = [one for one in profile.kernels if any(part in one.name.lower() for part in TURNING)]
        seconds = sum(one.seconds for one in found)
        if not found or profile.share(seconds) < LEAST:
            return
        count = sum(one.count for one in found)
        yield self.suggestion(
            f"cuDNN turns tensors from NCHW to NHWC and back, {count:.4g}× per step: {milliseconds(seconds)} "
            f"({percent(profile, seconds)})",
            "model.to(memory_format=torch.channels_last), and the same for the batches: convolutions then read and "
            "write the layout that the tensor cores want",
            seconds,
            found[0].where,
        )


RULE = _Rule("channels-last", "convolutions in NCHW", "tolerant")
