"""Pauses of the step in which Python looks for garbage."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, percent
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile

LEAST = 0.02
"""Of the step."""


class _Rule(Described):
    def suggest(self, profile: Profile) -> Iterator[Suggestion]:
        seen = profile.run.get("garbage") or {}
        steps, pauses = seen.get("steps") or 0, seen.get("pauses") or ()
        if not steps or not pauses:
            return
        paused = sum(pause for _, pause in pauses) / steps
        seconds = min(paused, profile.idle_s)
        if profile.share(seconds) < LEAST:
            return
        full = sum(generation == 2 for generation, _ in pauses)
        longest = max(pause for _, pause in pauses)
        yield self.suggestion(
            f"in {steps} steps Python's garbage collector ran {len(pauses)} times, {full} of them over all objects: "
            f"{milliseconds(paused)} per step ({percent(profile, paused)}), at most {milliseconds(longest)} at once",
            "no gc.collect() in each step; gc.collect() and gc.freeze() before the loop: what lives for ever is then "
            "not looked through again",
            seconds,
        )


RULE = _Rule("garbage-collection", "the garbage collector stops the step", "exact")
