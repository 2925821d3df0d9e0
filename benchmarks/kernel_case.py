"""A case of benchmarks/kernels.py, and what several make their inputs with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

import outpace_kernels

Tensors = list[Any]


@dataclass(frozen=True)
class Case:
    """One kernel at one shape. `wanted`: which of the inputs get gradients."""

    kernel: str
    """The module in outpace_kernels, and what of it."""
    label: str
    dtype: torch.dtype
    make: Callable[[str, torch.dtype, bool], Tensors]
    ours: Callable[..., Any]
    reference: Callable[..., Any]
    wanted: tuple[int, ...]
    moved: tuple[float, float]
    """Forward, forward and backward: in units of `unit` elements of the dtype. (0, 0): bound by arithmetic."""
    unit: Callable[[Tensors], int]
    modes: tuple[str, ...] = ("forward", "forward+backward")
    others: dict[str, Callable[..., Any]] = field(default_factory=dict)
    """More arms to time beside ours: other ways to the same result."""
    tolerance: float | None = None
    """Of the largest value, where the dtype's is not meant: what is quantised is further from its reference."""
    also: tuple[str, ...] = ()
    """More modules whose source this times."""

    @property
    def name(self) -> str:
        return f"{self.kernel} {self.label} {str(self.dtype).removeprefix('torch.')}"

    @property
    def sources(self) -> list[Path]:
        folder = Path(outpace_kernels.__file__).parent
        return [folder / f"{name}.py" for name in (self.kernel.split()[0], *self.also)]


def normal(device: str, dtype: torch.dtype, *shape: int, scale: float = 1.0) -> torch.Tensor:
    return (torch.randn(*shape, device=device) * scale).to(dtype)


def first(tensors: Tensors) -> int:
    return tensors[0].numel()


def small(shape: tuple[int, ...], smoke: bool) -> tuple[int, ...]:
    return (*(min(size, 3) for size in shape[:-1]), min(shape[-1], 65)) if smoke else shape
