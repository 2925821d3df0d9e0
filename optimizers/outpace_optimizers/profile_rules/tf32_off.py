"""fp32 matrix products that do not use the tensor cores."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, percent
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile

LEAST = 0.1
"""Of the step."""


class _Rule(Described):
    def suggest(self, profile: Profile) -> Iterator[Suggestion]:
        device = profile.device
        if device is None or device.tf32_kernels or profile.run.get("matmul_precision", "highest") != "highest":
            return
        seconds = device.matmul_s.get("float32", 0.0)
        if profile.share(seconds) < LEAST:
            return
        yield self.suggestion(
            f"matrix products in full fp32, {milliseconds(seconds)} per step ({percent(profile, seconds)}), none of "
            "them in TF32",
            "torch.set_float32_matmul_precision('high'): inputs rounded to 10 bits of mantissa",
            seconds,
        )


RULE = _Rule("tf32-off", "fp32 matrix products without TF32", "lossy")
