"""Batches that are copied to the device from ordinary memory: slower, and the host waits for each."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, percent, uploads
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile

LEAST = 0.01
"""Of the step."""
LEAST_BYTES = 65536
"""Below, a copy goes through the driver's own buffer, and pinning changes nothing."""


class _Rule(Described):
    def suggest(self, profile: Profile) -> Iterator[Suggestion]:
        found = [
            copy
            for copy in profile.copies
            if copy.kind.startswith("HtoD (Pageable") and copy.count and copy.bytes / copy.count >= LEAST_BYTES
        ]
        seconds = sum(copy.seconds for copy in found)
        if not found or profile.share(seconds) < LEAST:
            return
        size = sum(copy.bytes for copy in found)
        waited = sum(wait.seconds for wait in profile.waits if uploads(profile, wait))
        host = waited + sum(copy.host_s for copy in found)
        yield self.suggestion(
            f"{size / 1e6:.3g} MB per step are copied to the device from pageable memory, in "
            f"{milliseconds(seconds)} ({percent(profile, seconds)}; {size / seconds / 1e9:.2g} GB/s), "
            f"for which the host waits {milliseconds(host)}",
            "DataLoader(pin_memory=True), or tensor.pin_memory(), with .to(device, non_blocking=True)",
            profile.removable(seconds, host),
            found[0].where,
            ("DataLoader",),
        )


RULE = _Rule("unpinned-copy", "copies to the device from unpinned memory", "exact")
