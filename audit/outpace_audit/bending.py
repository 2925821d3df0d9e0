"""Which gradients there are where nobody has declared that they are asked for, and which have derivatives of their own,
as penalties on gradients need them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch

from outpace_audit.call_inputs import tensors_of
from outpace_audit.cotangents import differentiable_outputs
from outpace_audit.subject import Subject
from outpace_audit.tensors import flatten, is_inexact

Bend = Literal["bent", "flat", "cut"]
BENT = 2.0**-12
"""Of a gradient's largest element, what its derivatives have to exceed: a linear function's are rounding noise."""


def bends_of(subject: Subject, arguments: Sequence[Any], cotangents: Sequence[torch.Tensor]) -> dict[str, Bend]:
    """By leaf: whether a penalty on the square of its gradient has gradients itself (bent), has none that is not
    nought (flat), or cannot have any (cut)."""
    wanted = subject.leaves(arguments)
    values = [leaf.value for leaf in wanted]
    outputs = differentiable_outputs(flatten(subject.outputs(arguments)))
    found = torch.autograd.grad(outputs, values, list(cotangents), allow_unused=True, create_graph=True)
    gradients: list[torch.Tensor | None] = [*found]
    pairs = zip(wanted, gradients, strict=True)
    return {leaf.path: _bend(gradient, values) for leaf, gradient in pairs if gradient is not None}


def _bend(gradient: torch.Tensor, leaves: Sequence[torch.Tensor]) -> Bend:
    if not gradient.requires_grad:
        return "cut"
    size = (gradient * gradient.detach()).sum()
    second: list[torch.Tensor | None] = [*torch.autograd.grad(size, leaves, allow_unused=True, retain_graph=True)]
    least = BENT * float(gradient.detach().abs().max()) if gradient.numel() else 0.0
    return "bent" if any(one is not None and bool((one.abs() > least).any()) for one in second) else "flat"


def learning_inputs(subject: Subject, arguments: Sequence[Any]) -> list[str]:
    """The floating inputs that get a gradient, not all of it nought, from the sum of all results, where all of them ask
    for one. Inputs that a call writes to cannot ask."""
    leaves = {f"input {i}": one.requires_grad_() for i, one in enumerate(tensors_of(arguments)) if is_inexact(one)}
    outputs = differentiable_outputs(flatten(subject.outputs(arguments)))
    if not outputs:
        return []
    cotangents = [torch.ones_like(one) for one in outputs]
    found: list[torch.Tensor | None] = [
        *torch.autograd.grad(outputs, [*leaves.values()], cotangents, allow_unused=True)
    ]
    return [path for path, gradient in zip(leaves, found, strict=True) if gradient is not None and bool(gradient.any())]
