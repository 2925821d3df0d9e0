"""Communication between ranks while the device computes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, percent
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile

LEAST = 0.05
"""Of the step."""


class _Rule(Described):
    def suggest(self, profile: Profile) -> Iterator[Suggestion]:
        device = profile.device
        if device is None or profile.share(device.exposed_s) < LEAST:
            return
        yield self.suggestion(
            f"{milliseconds(device.exposed_s)} of each step ({percent(profile, device.exposed_s)}) pass in NCCL's "
            f"kernels with nothing computed beside them, of {milliseconds(device.communication_s)} of communication; "
            "waiting for a slower rank counts",
            "communicate while the backward pass goes on: DistributedDataParallel in place of all_reduce after it, "
            "with a smaller first bucket or static_graph=True; async_op=True for calls of your own; no_sync() where "
            "gradients accumulate; gradients in bfloat16 (a communication hook) where it is too much for any overlap",
            device.exposed_s,
        )


RULE = _Rule("exposed-communication", "communication is not overlapped", "exact")
