"""Inputs and parameters moved at random by a little, which shows how much results hang on rounding."""

from __future__ import annotations

import itertools
from collections.abc import Container
from typing import Any

import torch
from torch.utils._pytree import tree_map

from outpace_audit.apparent import apparent_dtype, pretend
from outpace_audit.inputs import is_perturbable
from outpace_audit.whole_numbers import whole_columns


def add_noise(arguments: list[Any], scale: float, seed: int, chosen: Container[int] | None = None) -> list[Any]:
    """Multiplies each element of the `chosen` tensors, or else of every perturbable one, by 1 + scale * normal.
    Columns of whole numbers stay. Cotangents too: a gradient in which they cancel is as ill-conditioned as one in which
    inputs do."""
    counter = itertools.count()

    def noisy(value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        number = next(counter)
        if not (is_perturbable(value) if chosen is None else number in chosen):
            return value
        generator = torch.Generator(value.device).manual_seed((seed + number) % 2**63)
        factor = torch.randn(value.shape, generator=generator, device=value.device, dtype=value.dtype)
        for column in whole_columns(value):
            factor[..., column] = 0
        moved = (value.detach() * (1 + scale * factor)).requires_grad_(value.requires_grad)
        return pretend(moved, apparent_dtype(value))

    return tree_map(noisy, arguments)


def add_parameter_noise(module: torch.nn.Module, scale: float, seed: int) -> None:
    """The same for parameters, in place: where inputs are token ids, they alone can show what rounding does."""
    for number, parameter in enumerate(module.parameters()):
        if not is_perturbable(parameter):
            continue
        generator = torch.Generator(parameter.device).manual_seed((seed + number) % 2**63)
        factor = torch.randn(parameter.shape, generator=generator, device=parameter.device, dtype=parameter.dtype)
        with torch.no_grad():
            parameter.mul_(1 + scale * factor)
