"""So many short kernels that the host cannot launch them fast enough."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, percent, training
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile

SHORT_S = 10e-6
"""About what launching one kernel from Python takes."""
MANY = 100.0
"""Per step."""
LEAST_IDLE = 0.2
"""Of the step: below, the device is kept busy however short its kernels are."""
LAUNCHING = 0.5
"""Of the idle time, that the launches must be able to explain."""


class _Rule(Described):
    def suggest(self, profile: Profile) -> Iterator[Suggestion]:
        device = profile.device
        if device is None or device.kernels < MANY or device.median_kernel_s >= SHORT_S:
            return
        idle = profile.idle_s
        if profile.share(idle) < LEAST_IDLE or device.kernels * SHORT_S < LAUNCHING * idle:
            return
        yield self.suggestion(
            f"{device.kernels:.4g} kernels per step, half of them shorter than {1e6 * device.median_kernel_s:.2g} µs; "
            f"the device is idle for {milliseconds(idle)} ({percent(profile, idle)}), and spends "
            f"{milliseconds(device.other_s)} on what is no matrix product",
            "torch.compile (mode='reduce-overhead' where shapes are fixed) fuses kernels or replays them as a graph; "
            "a larger batch gives each more to do",
            min(idle + device.other_s, profile.step_s),
            edit=training("compiled-model"),
        )


RULE = _Rule("tiny-kernels", "many tiny kernels", "tolerant")
