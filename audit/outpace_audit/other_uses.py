"""What another caller does with the same code: other state, weights set anew, other leaves that learn, cotangents that
lie in memory as they come."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch

from outpace_audit.inputs import is_perturbable
from outpace_audit.laws import generator_for
from outpace_audit.tensors import Leaf, is_inexact
from outpace_audit.whole_numbers import is_whole

Wanted = str
"""Which leaves learn: see only_some_learn."""

Between = Literal["", "call", "inputs", "results"]
"""What happens between a call and its backward pass."""


NEAR = 8
"""Places before the end of a ring: fewer than a batch mostly brings, so that it goes around."""

SMALLER = 0.75, 0.95
"""Times what a table holds: what was made of the old one is then off by far more than rounding."""

FADED, FADED_SHARE = 2.0**-20, 1 / 8
"""A count that has decayed, the variance of a dead channel: an epsilon beside it then matters."""


def draw_state(module: torch.nn.Module, seed: int) -> None:
    """Draws in place every buffer of a checkpoint that the constructor filled with one number: uniform, around that
    number or from 0 to 1. Such are statistics and histories; tables, masks and single numbers stay as they are.
    Nothing gets negative that was not, since variances and counts are among them; some of them fade until they are
    nearly nothing."""
    kept = module.state_dict(keep_vars=True)
    for name, buffer in module.named_buffers():
        if name in kept and is_state(buffer):
            generator = generator_for(seed, f"state:{name}", buffer.device)
            share = torch.rand(buffer.shape, generator=generator, device=buffer.device).to(buffer.dtype)
            faded = torch.rand(buffer.shape, generator=generator, device=buffer.device) < FADED_SHARE
            around = buffer * torch.where(faded, FADED, 0.5 + share)
            buffer.copy_(torch.where(buffer == 0, share, around))


def other_checkpoint(module: torch.nn.Module, seed: int) -> dict[str, Any]:
    """The module's state dict with all tables of floats smaller by one factor, so that their order, their signs, their
    symmetries and their ratios stay, and what lies between 0 and 1 does. Masks, whole numbers, statistics (`draw_state`
    has those) and rows that add up to one stay as they are."""
    factor = random.Random(seed).uniform(*SMALLER)
    state = module.state_dict()
    buffers = dict(module.named_buffers())
    return {name: value * factor if name in buffers and is_table(value) else value for name, value in state.items()}


def is_table(buffer: Any) -> bool:
    if not isinstance(buffer, torch.Tensor) or not is_perturbable(buffer) or is_whole(buffer):
        return False
    sums = buffer.sum(-1)
    return not torch.allclose(sums, torch.ones_like(sums), 1e-3)


@contextmanager
def checkpoint_loaded(module: torch.nn.Module | None, seed: int | None) -> Generator[None]:
    """By `load_state_dict`, whose hooks may renew what a module makes of its state; by it, too, the old state comes
    back."""
    if module is None or seed is None:
        yield
        return
    before = {name: copy.deepcopy(value) for name, value in module.state_dict().items()}
    module.load_state_dict(other_checkpoint(module, seed))
    try:
        yield
    finally:
        module.load_state_dict(before)


def draw_counts(module: torch.nn.Module, seed: int) -> None:
    """Sets every single whole number of a checkpoint that lies below the length of a buffer beside it near that length:
    a place in a ring, which calls from the start reach only after very many."""
    kept = module.state_dict(keep_vars=True)
    for name, buffer in module.named_buffers():
        if name not in kept or not is_count(str(buffer.dtype), buffer.shape):
            continue
        owner = module.get_submodule(name.rpartition(".")[0])
        length = max((one.shape[0] for one in owner.buffers(recurse=False) if one.dim() and is_inexact(one)), default=0)
        if int(buffer) < length:
            generator = generator_for(seed, f"count:{name}", "cpu")
            buffer.fill_(length - int(torch.randint(1, min(NEAR, length) + 1, (), generator=generator)))


def is_count(dtype: str, shape: Sequence[int]) -> bool:
    return dtype.removeprefix("torch.") in ("int64", "int32") and math.prod(shape) == 1


def is_state(buffer: torch.Tensor) -> bool:
    if not buffer.is_floating_point() or buffer.element_size() < 2 or buffer.numel() < 2:
        return False
    first = buffer.reshape(-1)[0]
    return bool(torch.isfinite(first)) and bool((buffer == first).all())


def renew_storage(module: torch.nn.Module) -> None:
    """Other memory under every parameter, as who swaps in averaged weights leaves it; tied ones stay tied. What is then
    drawn leaves version counters where they were, as assigning to `.data` does."""
    for parameter in module.parameters():
        parameter.data = parameter.data.clone(memory_format=torch.preserve_format)


def replace_parameters(module: torch.nn.Module) -> None:
    """New ones of the same values, to which nothing has been written yet, as who swaps layers or loads by assigning
    leaves them; tied ones stay tied."""
    made: dict[torch.nn.Parameter, torch.nn.Parameter] = {}
    for owner in module.modules():
        for name, old in list(owner.named_parameters(recurse=False)):
            if type(old) is torch.nn.Parameter:
                new = made.setdefault(old, torch.nn.Parameter(old.detach().clone(), old.requires_grad))
                setattr(owner, name, new)


@contextmanager
def only_some_learn(leaves: Sequence[Leaf], wanted: Wanted, seed: int) -> Generator[None]:
    """inputs: no parameter is trained, as below an adapter. some: a secret part of the leaves is. "": all are. Else all
    but the one of this name. Chosen by name, so that all sides choose alike."""
    names = sorted(leaf.path for leaf in leaves)
    chosen = set(names)
    if wanted == "inputs":
        chosen = {name for name in names if name.startswith("input ")}
    elif wanted == "some" and len(names) > 1:
        chance = random.Random(seed)
        chosen = set(chance.sample(names, chance.randint(1, len(names) - 1)))
    else:
        chosen.discard(wanted)
    others = [leaf.value for leaf in leaves if leaf.path not in chosen]
    for tensor in others:
        tensor.requires_grad_(False)
    try:
        yield
    finally:
        for tensor in others:
            tensor.requires_grad_(True)


@contextmanager
def gradients_left(parameters: Sequence[torch.Tensor], *, left: bool) -> Generator[None]:
    """As an earlier backward pass leaves them where gradients are accumulated over several."""
    for parameter in parameters if left else ():
        parameter.grad = torch.ones_like(parameter) if parameter.requires_grad else None
    try:
        yield
    finally:
        for parameter in parameters if left else ():
            parameter.grad = None


@contextmanager
def on_threads(number: int | None) -> Generator[None]:
    """So many for what torch computes on processors, where it has one; where it has more, one, as workers of a loader
    have."""
    if number is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(number if before == 1 else 1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def overwritten(tensors: Sequence[torch.Tensor]) -> Generator[None]:
    """Floats hold other values meanwhile, where autograd can see that they do. Raises what torch raises where some
    must not be written to."""
    floats = [one for one in tensors if is_inexact(one) and 0 not in one.stride()]
    kept = [one.detach().clone() for one in floats]
    with torch.no_grad():
        for one in floats:
            one.mul_(-2).add_(1)
    try:
        yield
    finally:
        with torch.no_grad():
            for one, values in zip(floats, kept, strict=True):
                one.copy_(values)


def laid_otherwise(tensor: torch.Tensor) -> torch.Tensor:
    """The same values, the last dimension outermost and a gap after each element."""
    wide = tensor.new_zeros((*reversed(tensor.shape), 2))
    turned = wide.permute(*range(tensor.dim() - 1, -1, -1), tensor.dim())[..., 0]
    return turned.copy_(tensor)
