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
        if device is None or device.tf32_kernels:
            return
        products = profile.run.get("matmul_precision", "highest") == "highest"
        convolutions = profile.run.get("cudnn_tf32", True) is False
        seconds = products * device.gemm_s + convolutions * device.convolution_s
        if profile.share(seconds) < LEAST:
            return
        switches = [
            "torch.set_float32_matmul_precision('high')" * products,
            "torch.backends.cudnn.allow_tf32 = True" * (convolutions and device.convolution_s > 0),
        ]
        yield self.suggestion(
            f"matrix products in full fp32, {milliseconds(seconds)} per step ({percent(profile, seconds)}), none of "
            "them in TF32",
            f"{' and '.join(filter(None, switches))}: inputs rounded to 10 bits of mantissa",
            seconds,
        )


RULE = _Rule("tf32-off", "fp32 matrix products without TF32", "lossy")
