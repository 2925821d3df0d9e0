"""Calls that make the host wait for the device in every step, while the device then waits for the host."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, percent, training, uploads
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile

EVERY_STEP = 0.9
"""Waits per step. What is logged now and then is rarer than that."""
LEAST = 0.03
"""Of the step, that a host which runs ahead could save: no more than the device is idle, and no more than it waits."""


class _Rule(Described):
    def suggest(self, profile: Profile) -> Iterator[Suggestion]:
        device = profile.device
        if device is None:
            return
        idle = profile.idle_s
        found = [wait for wait in profile.waits if wait.count >= EVERY_STEP and not uploads(profile, wait)]
        waited = sum(wait.seconds for wait in found)
        if not found or profile.share(min(idle, waited)) < LEAST:
            return
        calls = ", ".join(
            f"{wait.operation} in {wait.where or 'no function'} ({wait.count:.3g}×)" for wait in found[:4]
        )
        yield self.suggestion(
            f"in every step the host waits for the device: {calls}; {milliseconds(waited)} of waiting, and the device "
            f"is idle for {milliseconds(idle)} ({percent(profile, idle)})",
            "keep values on the device and read them every so many steps: loss.detach() in a list, torch.where in "
            "place of an if, no .item(), .cpu(), .nonzero() or torch.cuda.synchronize() in the loop",
            min(idle, waited),
            found[0].where,
            edit=training("sync-free-step"),
        )


RULE = _Rule("synchronizing-call", "the host waits for the device in every step", "exact")
