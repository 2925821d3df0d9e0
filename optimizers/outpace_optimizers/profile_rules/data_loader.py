"""The step waits for its data."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, percent, region
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile

LEAST = 0.05
"""Of the step, as torch-tb-profiler has it."""
HANDED_OVER_S = 1e-3
"""Per batch. To take one from a worker costs the main process about half of this, however small it is."""


class _Rule(Described):
    def suggest(self, profile: Profile) -> Iterator[Suggestion]:
        found = region(profile, "DataLoader")
        if found is None or profile.share(profile.removable_of(found)) < LEAST:
            return
        waited = profile.removable_of(found)
        who, advice = _advice(profile.loader, waited / max(found.calls, 1.0))
        yield self.suggestion(
            f"{milliseconds(waited)} of each step ({percent(profile, waited)}) go into waiting for the "
            f"DataLoader; {who}",
            advice,
            waited,
            found.name,
            ("DataLoader",),
        )


def _advice(loader: str, per_batch_s: float) -> tuple[str, str]:
    """What the loader is, and what to do."""
    if loader == "single" and per_batch_s < HANDED_OVER_S:
        return (
            "the loader has no workers, and they would not help: to take a batch from one costs as much",
            "make batches without the loader, by indexing all samples at once, or on the device",
        )
    if loader == "single":
        return (
            "the loader has no workers: the step waits while each batch is made",
            "give DataLoader num_workers (and persistent_workers=True), or make batches on the device",
        )
    if loader == "workers":
        return (
            "the loader has workers, and they do not keep up",
            "more num_workers or a larger prefetch_factor; do less per sample, or batch-wise on the device",
        )
    return "the loader does not keep up", "more num_workers; do less per sample"


RULE = _Rule("data-loader", "the data loader starves the step", "exact")
