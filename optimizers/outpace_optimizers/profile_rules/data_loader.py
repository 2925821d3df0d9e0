"""The step waits for its data."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, percent, region
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile

LEAST = 0.05
"""Of the step, as torch-tb-profiler has it."""


class _Rule(Described):
    def suggest(self, profile: Profile) -> Iterator[Suggestion]:
        found = region(profile, "DataLoader")
        if found is None or profile.share(found.seconds) < LEAST:
            return
        who = {
            "single": "the loader has no workers: the step waits while each batch is made",
            "workers": "the loader has workers, and they do not keep up",
        }.get(profile.loader, "the loader does not keep up")
        advice = {
            "single": "give DataLoader num_workers (and persistent_workers=True), or make batches on the device",
            "workers": "more num_workers or a larger prefetch_factor; do less per sample, or batch-wise on the device",
        }.get(profile.loader, "more num_workers; do less per sample")
        yield self.suggestion(
            f"{milliseconds(found.seconds)} of each step ({percent(profile, found.seconds)}) go into waiting for the "
            f"DataLoader; {who}",
            advice,
            found.seconds,
            found.name,
            ("DataLoader",),
        )


RULE = _Rule("data-loader", "the data loader starves the step", "exact")
