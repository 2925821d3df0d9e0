"""An optimizer that does not step all parameters in one fused operation."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.profile_rules.base import Described, milliseconds, percent, region, training
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile

LEAST = 0.03
"""Of the step."""
FUSED = frozenset({"Adam", "AdamW", "SGD", "Adagrad"})
"""Optimizers of torch.optim that have `fused=True`, on CUDA and on the CPU."""


class _Rule(Described):
    def suggest(self, profile: Profile) -> Iterator[Suggestion]:
        found = region(profile, ".step")
        if found is None or profile.share(found.seconds) < LEAST or not profile.optimizer:
            return
        name = found.name.removesuffix(".step")
        home = str(profile.run.get("optimizer", {}).get("home", "torch.optim"))
        operators = [portion.name for portion in profile.optimizer]
        if name not in FUSED or not home.startswith("torch.optim") or any("_fused_" in one for one in operators):
            return
        count = sum(portion.count for portion in profile.optimizer)
        if count <= found.calls:
            return  # one pass already: SGD alone, over one tensor or all at once
        how = (
            "operations over all tensors at once"
            if any("_foreach_" in o for o in operators)
            else "operations, tensor by tensor"
        )
        yield self.suggestion(
            f"{found.name} takes {milliseconds(found.seconds)} ({percent(profile, found.seconds)}) "
            f"in {count:.4g} {how}",
            f"torch.optim.{name}(..., fused=True): one pass over parameters, gradients and state",
            profile.removable_of(found),
            found.name,
            (name,),
            training("fused-optimizer"),
        )


RULE = _Rule("optimizer-loop", "the optimizer's step is not fused", "tolerant")
