"""One argument of a call changed while all others stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

from outpace_audit import laws
from outpace_audit.fitting import fit
from outpace_audit.inputs import is_perturbable
from outpace_audit.tensors import written_once
from outpace_audit.whole_numbers import renumbered, whole_columns

LOUDER = 16.0
"""A branch whose weights are small at the declared values then weighs enough to be missed."""

FLAGS = ("mask", "pad", "valid", "keep", "kept", "seen", "flag")
"""An argument with one of these in its name says yes or no, by ones and zeros; another may take any value between."""

EARLY, MUCH_LATER = (1, 2, 10), 100_000
"""Steps of a training: corrections that are made in the first ones are nothing much later."""

LATE = 100
"""A count from which on EARLY ones are tried: nothing that is small and chosen, such as a kernel's size."""

NUMBER_CHANGES = 4
"""The most lists of `scalar_changes`."""

NOT_SUPPLIED = ("out", "generator", "dtype", "device", "name")
SUPPLIED_SHARE = 0.7
"""Of a mask that is given where there was none: most rows keep something."""

MIXED_SHARE = 1 / 8
"""Of a mask's elements: enough to change most rows, too few to mask a whole row. And of positive values that become
negative: sums over a row seldom cancel."""

FORBIDDEN_SHARE = 1 / 16
"""Of the elements of a tensor, that become minus infinity: few enough that a row of scores keeps something."""

NEAREST = 8, 10
"""Powers of two: by which share of themselves things differ that are nearly alike. Far more than rounding, and less
than somebody who looks whether they are alike would mind."""

NEIGHBOURS = {-1: -2, -100: -99}
"""Labels that mean none, as code has them and torch's losses, and what they are told by."""

SURELY = 0.8
"""Chances reach nearly to 1."""

HOWS = (
    *("louder", "redrawn", "noised", "mixed", "spared", "blended", "stretched", "shuffled"),
    *("forbidden", "evened", "widened", "shortened", "begun", "signed", "crossed", "renumbered"),
    *("ignored", "neared", "equalled", "alike", "followed"),
)
"""blended: zeros and ones, but for one-hot rows, become numbers between, as labels are that are smoothed; other values
are redrawn. stretched: what rises or falls throughout does so in other steps. shuffled: whatever has as many rows as
an ordered tensor has elements, in another common order. redrawn: the values of another seed. louder: those times 16.
noised: a constant tensor, each element times or plus something. mixed: some elements of a mask take the values of
others, or the opposite value where all are the same. spared: so too, but neither at the ends of a dimension nor in
half of its other places, where a guard looks that is to be cheap. forbidden: some elements become minus infinity, as
scores of what may not be chosen are. evened: what is in order goes up in equal steps at both ends and in other ones
between, so that a guard that looks at the first step or the last takes all for equal. widened: in steps as much longer
as what is louder. shortened, begun: offsets end before what they lead into does, or begin after its beginning. signed:
some elements of what is never below zero are. crossed: in each row of whole numbers two that are neighbours change
places, neither of them at an end, so that a guard that looks at both ends takes the row for a run. renumbered: columns
of whole numbers among floats hold others, between their least and their greatest. ignored: some indices become
`value`, which the baseline takes for none. alike: half of the rows, or all of one, are `value` throughout: of two
classes there is one. followed: a constant tensor, noised but for its first row. neared: the items along the first
dimension are nearly alike. equalled: half of the rows are those of another tensor, `other`, and chances (numbers
between 0 and 1) are 1 here and there. Columns of whole numbers keep them, unless they are redrawn or renumbered."""


@dataclass(frozen=True, slots=True)
class ArgumentChange:
    """`leaf`: its place among the flattened arguments. `how`: one of HOWS; or "value": the scalar becomes `value`; or
    "added": `value` for a parameter that is left to its default, after the defaults of those `before` it; or
    "supplied": a tensor of `shape` and `dtype` for one; or "set": a tensor of one whole number holds `value`.
    `name` is for people."""

    leaf: int
    how: str
    value: bool | int | float | None = None
    name: str = ""
    before: Sequence[bool | int | float | None] = ()
    shape: Sequence[int] = ()
    dtype: str = ""
    other: int = -1
    lone: bool = False
    """Of "ignored": no other tensor goes with these integers, so that they are the data and no labels of it."""

    @property
    def text(self) -> str:
        if self.how == "supplied":
            return f"{self.name} = {self.dtype}{list(self.shape)}"
        if self.how == "ignored":
            return f"{self.name} {self.value} here and there"
        if self.how == "alike":
            return f"{self.name} all {self.value} in some rows"
        return f"{self.name} = {self.value}" if self.how in ("value", "added", "set") else f"{self.name} {self.how}"

    @property
    def keeps_tensors(self) -> bool:
        """Whether what changes is values of the tensors that were there; a tensor of one number counts as a number."""
        return self.how not in ("value", "added", "supplied", "set")

    def apply(self, arguments: list[Any], others: list[Any], seed: int) -> list[Any]:
        """`others`: the arguments of another seed."""
        if self.how == "added":
            return [*arguments, *self.before, self.value]
        if self.how == "supplied":
            return [*arguments, *self.before, self._supplied(arguments, seed)]
        leaves, tree = tree_flatten(arguments)
        if self.how == "shuffled":
            order = common_order(self.leaf, leaves[self.leaf].numel(), seed)
            return tree_unflatten([_in_order(value, order) for value in leaves], tree)
        if self.how == "equalled":
            return tree_unflatten(self._equalled(leaves, seed), tree)
        leaves[self.leaf] = self._changed(leaves[self.leaf], tree_flatten(others)[0][self.leaf], seed)
        return tree_unflatten(leaves, tree)

    def _changed(self, value: Any, other: Any, seed: int) -> Any:
        if self.how == "value":
            return self.value
        generator = laws.generator_for(seed, f"change:{self.leaf}", "cpu")
        if self.how == "ignored":
            return self._ignored(value, generator)
        if self.how == "set":
            assert self.value is not None, "a number that it is set to"
            return torch.full_like(value, self.value)
        old = written_once(value)
        made = self._alike if self.how == "alike" else _MADE[self.how]
        new = made(old, written_once(other), generator)
        if self.how not in ("redrawn", "renumbered"):
            for column in whole_columns(old):
                new[..., column] = old[..., column]
        sizes = zip(new.shape, other.shape, other.stride(), strict=True)
        new = new.expand([wide if step == 0 else size for size, wide, step in sizes])
        return new.requires_grad_(value.requires_grad)

    def _ignored(self, value: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        assert self.value is not None, "an index that is none"
        return value.masked_fill(_some(value.shape, MIXED_SHARE, generator).to(value.device), self.value)

    def _alike(self, old: torch.Tensor, new: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        assert self.value is not None, "a label"
        rows = _some(old.shape[:1], 0.5, generator) if old.dim() > 1 else torch.ones(old.shape[:1]).bool()
        return old.masked_fill(rows.to(old.device).view(-1, *[1] * (old.dim() - 1)), self.value)

    def _equalled(self, leaves: list[Any], seed: int) -> list[Any]:
        """Only where both have places: one may be a part of the other."""
        generator = laws.generator_for(seed, f"change:{self.leaf}", "cpu")
        value, other = leaves[self.leaf].detach(), leaves[self.other].detach()
        shared = tuple(slice(min(a, b)) for a, b in zip(value.shape, other.shape, strict=True))
        rows = _some(other[shared].shape[:1], 0.5, generator).to(value.device)
        new = value.clone()
        new[shared][rows] = other[shared][rows].to(value.dtype)
        chances = [
            _certain(one, generator) if are_chances(one) and i not in (self.leaf, self.other) else one
            for i, one in enumerate(leaves)
        ]
        chances[self.leaf] = new.requires_grad_(leaves[self.leaf].requires_grad)
        return chances

    def _supplied(self, arguments: list[Any], seed: int) -> torch.Tensor:
        generator = laws.generator_for(seed, f"change:{self.name}", "cpu")
        device = next(one.device for one in tree_flatten(arguments)[0] if isinstance(one, torch.Tensor))
        if self.dtype == "bool":
            return (torch.rand(tuple(self.shape), generator=generator) < SUPPLIED_SHARE).to(device)
        return torch.randn(tuple(self.shape), generator=generator).to(device, getattr(torch, self.dtype))


def _some(shape: Sequence[int], share: float, generator: torch.Generator) -> torch.Tensor:
    """One place at least."""
    chosen = torch.rand(tuple(shape), generator=generator) < share
    chosen.view(-1)[torch.randint(chosen.numel(), (), generator=generator)] = True
    return chosen


def are_chances(value: Any) -> bool:
    """Uniform between 0 and 1, as far as one can see."""
    if not isinstance(value, torch.Tensor) or not is_perturbable(value):
        return False
    law = fit(value)
    return law is not None and law.kind == "uniform" and SURELY < float(law.params["high"]) < 1.0


def _certain(value: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    chosen = _some(value.shape, MIXED_SHARE, generator).to(value.device)
    return value.detach().masked_fill(chosen, 1.0).requires_grad_(value.requires_grad)


def common_order(leaf: int, size: int, seed: int) -> torch.Tensor:
    return torch.randperm(size, generator=laws.generator_for(seed, f"change:{leaf}", "cpu"))


def _in_order(value: Any, order: torch.Tensor) -> Any:
    if not isinstance(value, torch.Tensor) or value.dim() == 0 or value.shape[0] != order.numel():
        return value
    return value.detach()[order.to(value.device)].requires_grad_(value.requires_grad)


def _inner(shape: torch.Size, generator: torch.Generator) -> torch.Tensor:
    """Half of the places, secretly chosen for each dimension, none of them at its ends."""
    inner = torch.ones(shape, dtype=torch.bool)
    for dim, size in enumerate(shape):
        if size > 2:
            here = torch.rand(size, generator=generator) < 0.5
            here[torch.randint(1, size - 1, (), generator=generator)] = True
            here[0] = here[-1] = False
            inner &= here.view(-1, *[1] * (len(shape) - dim - 1))
    return inner


def _mixed(old: torch.Tensor, generator: torch.Generator, within: torch.Tensor | None = None) -> torch.Tensor:
    """`within`: where elements may change, half of them then do."""
    drawn = torch.rand(old.shape, generator=generator)
    chosen = (drawn < MIXED_SHARE if within is None else within & (drawn < 0.5)).to(old.device)
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


def _signed(value: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return torch.where((torch.rand(value.shape, generator=generator) < MIXED_SHARE).to(value.device), -value, value)


def _crossed(value: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """The two places are the same in all rows, and differ in one at least."""
    differs = (value[..., 1:-2] != value[..., 2:-1]).reshape(-1, value.shape[-1] - 3).any(0)
    places = torch.nonzero(differs).flatten() + 1
    if not len(places):
        return value
    at = int(places[torch.randint(len(places), (), generator=generator)])
    order = [*range(at), at + 1, at, *range(at + 2, value.shape[-1])]
    return value[..., order]


def _forbidden(value: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return value.masked_fill(_some(value.shape, FORBIDDEN_SHARE, generator).to(value.device), float("-inf"))


def _neared(value: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    power = torch.randint(NEAREST[0], NEAREST[1] + 1, (), generator=generator)
    share = torch.rand(value.shape, generator=generator).to(value) * torch.exp2(-power.double()).to(value)
    return value[:1] * (1 + share)


def _evened(value: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Of one dimension; whole numbers stay whole."""
    wide = value.double()
    step = (wide[-1] - wide[0]) / (value.numel() - 1)
    step = step if value.is_floating_point() else step.trunc()
    share = torch.rand(value.numel() - 4, generator=generator).sort().values.to(wide)
    inner = wide[0] + step + share * (wide[-1] - wide[0] - 2 * step)
    ends = torch.stack([wide[0], wide[0] + step]), torch.stack([wide[-1] - step, wide[-1]])
    return torch.cat([ends[0], inner, ends[1]]).to(value.dtype)


def _noised(old: torch.Tensor, new: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    noise = torch.randn(old.shape, generator=generator).to(old.device)
    return torch.where(old == 0, noise, old * noise.exp()).to(old.dtype)


def _followed(old: torch.Tensor, new: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return torch.cat([old[:1], _noised(old[1:], new[1:], generator)])


_MADE: dict[str, Callable[[torch.Tensor, torch.Tensor, torch.Generator], torch.Tensor]] = {
    "redrawn": lambda old, new, generator: new,
    "louder": lambda old, new, generator: new * LOUDER,
    "noised": _noised,
    "followed": _followed,
    "mixed": lambda old, new, generator: _mixed(old, generator),
    "spared": lambda old, new, generator: _mixed(old, generator, _inner(old.shape, generator)),
    "blended": lambda old, new, generator: _blended(new, generator),
    "stretched": lambda old, new, generator: _stretched(old, generator),
    "forbidden": lambda old, new, generator: _forbidden(new, generator),
    "evened": lambda old, new, generator: _evened(old, generator),
    "widened": lambda old, new, generator: old[..., :1] + LOUDER * (old - old[..., :1]),
    "shortened": lambda old, new, generator: old - (old - old[0]) // 2,
    "signed": lambda old, new, generator: _signed(new, generator),
    "crossed": lambda old, new, generator: _crossed(old, generator),
    "neared": lambda old, new, generator: _neared(old, generator),
    "renumbered": lambda old, new, generator: renumbered(old, generator),
    "begun": lambda old, new, generator: old + (old[-1] - old) // 2,
}
"""From the values that were drawn, and those of another seed."""


def supplied_changes(
    name: str,
    before: Sequence[Any],
    inputs: Sequence[Mapping[str, Any]],
    results: Sequence[tuple[Sequence[int], str]] = (),
) -> list[ArgumentChange]:
    """What a parameter may take that is left to None: a mask over some dimensions of an input from the first on, a
    weight over its last one, a number, what a call returns
    (a state that the next one goes on from). A place for results is left alone."""
    if name in NOT_SUPPLIED:
        return []
    shapes = dict.fromkeys(tuple(one["shape"][:end]) for one in inputs for end in range(len(one["shape"]), 0, -1))
    rows = dict.fromkeys((tuple(one["shape"][-1:]), one["dtype"]) for one in inputs if one["mean"] is not None)
    given = tuple(before)
    masks = [ArgumentChange(-1, "supplied", None, name, given, shape, "bool") for shape in shapes if shape]
    weights = [ArgumentChange(-1, "supplied", None, name, given, shape, dtype) for shape, dtype in rows if shape]
    numbers = [ArgumentChange(-1, "added", value, name, given) for value in (0.5, 2, True)]
    states = [ArgumentChange(-1, "supplied", None, name, given, tuple(shape), dtype) for shape, dtype in results]
    masked = any(part in name.lower() for part in FLAGS)
    return [*masks, *weights, *numbers] if masked else [*numbers, *states, *weights, *masks]


def scalar_changes(value: Any) -> list[list[bool | int | float]]:
    """Other values of a plain argument, one of each list: above and below the declared one, since what holds on one
    side of a number may not on the other, and, of a fraction, where a factor or a power does nothing."""
    if isinstance(value, bool):
        return [[not value]]
    if isinstance(value, int):
        early = [EARLY] if value >= LATE else []
        return _others(value, [(2 * value, value + 1, 0, 1), (value - 1, value // 2), *early])
    if isinstance(value, float):
        return _others(value, [(64 * value, 2 * value, value + 1), (value / 2,), (1.0, 0.0)])
    if isinstance(value, Mapping):  # no limit, mostly
        return [[1.0, 0.5]]
    return []


def _others(value: float, lists: Sequence[Sequence[float]]) -> list[list[bool | int | float]]:
    """Without the value itself, and none twice."""
    left = dict.fromkeys(other for some in lists for other in some if other != value)
    return [[other for other in some if left.pop(other, 0) is None] for some in lists]
