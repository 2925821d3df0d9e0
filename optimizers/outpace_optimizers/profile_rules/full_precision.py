"""Matrix products in fp32 throughout, on a device that is much faster in 16 bits."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, percent, training
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile

LEAST = 0.2
"""Of the step."""
FASTER = 2
"""Times, of 16 bits over TF32 on the tensor cores of every generation that has both."""
SMALLER = 2
"""Times, what other kernels read and write: autocast leaves tensors in 16 bits behind products."""
HALF = ("bfloat16", "float16")


class _Rule(Described):
    def suggest(self, profile: Profile) -> Iterator[Suggestion]:
        device = profile.device
        if device is None or any(device.matmul_s.get(name, 0.0) for name in HALF):
            return
        seconds = device.matmul_s.get("float32", 0.0)
        if profile.share(seconds) < LEAST:
            return
        fast = f", {milliseconds(device.tf32_s)} of it in TF32" if device.tf32_s else ""
        saved = seconds - device.tf32_s / FASTER + device.fused_s + device.other_s / SMALLER
        yield self.suggestion(
            f"all matrix products are in fp32: {milliseconds(seconds)} per step ({percent(profile, seconds)}){fast}",
            "torch.autocast('cuda', dtype=torch.bfloat16) around forward and loss; check the loss curve",
            min(saved, profile.step_s),
            edit=training("autocast-bf16"),
        )


RULE = _Rule("full-precision", "no mixed precision", "lossy")
