"""One argument of a call changed while all others stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

from outpace_audit import laws

LOUDER = 16.0
"""A branch whose weights are small at the declared values then weighs enough to be missed."""

MIXED_SHARE = 1 / 8
"""Of a mask's elements: enough to change most rows, too few to mask a whole row."""

HOWS = ("louder", "redrawn", "noised", "mixed", "blended", "stretched")
"""blended: zeros and ones, but for one-hot rows, become numbers between, as labels are that are smoothed; other values
are redrawn. stretched: what rises or falls throughout does so in other steps. redrawn: the values of another seed.
louder: those times 16. noised: a constant tensor, each element times or plus something. mixed: some elements of a
mask take the values of others, or the opposite value where all are the same."""


@dataclass(frozen=True, slots=True)
class ArgumentChange:
    """`leaf`: its place among the flattened arguments. `how`: one of HOWS; or "value": the scalar becomes `value`; or
    "added": `value` for a parameter that is left to its default, after the defaults of those `before` it. `name` is for
    people."""

    leaf: int
    how: str
    value: bool | int | float | None = None
    name: str = ""
    before: Sequence[bool | int | float] = ()

    @property
    def text(self) -> str:
        return f"{self.name} = {self.value}" if self.how in ("value", "added") else f"{self.name} {self.how}"

    def apply(self, arguments: list[Any], others: list[Any], seed: int) -> list[Any]:
        """`others`: the arguments of another seed."""
        if self.how == "added":
            return [*arguments, *self.before, self.value]
        leaves, tree = tree_flatten(arguments)
        leaves[self.leaf] = self._changed(leaves[self.leaf], tree_flatten(others)[0][self.leaf], seed)
        return tree_unflatten(leaves, tree)

    def _changed(self, value: Any, other: Any, seed: int) -> Any:
        if self.how == "value":
            return self.value
        generator = laws.generator_for(seed, f"change:{self.leaf}", "cpu")
        old, new = value.detach(), other.detach()
        if self.how == "louder":
            new = new * LOUDER
        elif self.how == "noised":
            noise = torch.randn(old.shape, generator=generator).to(old.device)
            new = torch.where(old == 0, noise, old * noise.exp()).to(old.dtype)
        elif self.how == "mixed":
            new = _mixed(old, generator)
        elif self.how == "blended":
            new = _blended(new, generator)
        elif self.how == "stretched":
            new = _stretched(old, generator)
        return new.requires_grad_(value.requires_grad)


def _mixed(old: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    chosen = (torch.rand(old.shape, generator=generator) < MIXED_SHARE).to(old.device)
    flat = old.reshape(-1)
    if bool((flat == flat[0]).all()):
        return torch.where(chosen, ~old if old.dtype == torch.bool else 1 - old, old)
    order = torch.randperm(flat.numel(), generator=generator).to(old.device)
    return torch.where(chosen, flat[order].reshape(old.shape), old)


def _blended(value: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    one_hot = value.dim() > 1 and bool((value.sum(-1) == 1).all())
    if one_hot or not bool(((value == 0) | (value == 1)).all()):
        return value
    share = torch.rand(value.shape, generator=generator).to(value.device, value.dtype) / 2
    return torch.where(value == 0, share, 1 - share)


def _stretched(value: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    wide = value.double()
    factors = torch.rand(wide[..., 1:].shape, generator=generator).to(value.device) + 0.5
    steps = (wide[..., 1:] - wide[..., :-1]) * factors
    return torch.cat([wide[..., :1], wide[..., :1] + steps.cumsum(-1)], dim=-1).to(value.dtype)


def scalar_changes(value: Any) -> list[bool | int | float]:
    """Other values of a plain argument, those first that change most."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [other for other in (2 * value, value + 1, value - 1, value // 2, 0, 1) if other != value]
    if isinstance(value, float):
        return [other for other in (64 * value, 2 * value, value / 2, value + 1) if other != value]
    if isinstance(value, Mapping):  # no limit, mostly
        return [1.0, 0.5]
    return []
