"""A process that a baseline may die in, where it is asked for more than was declared."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from outpace_audit.errors import ArmError, OutOfResources
from outpace_audit.sides import LeafView, Reply, Side
from outpace_audit.thresholds import SCOUT_DEATHS, SCOUT_S

WIDE = ("float32", "bfloat16", "float64", "complex64", "complex128")
"""Types of the exponents of fp32 and more. In fp16 products of honest numbers come near the end of it."""

HEADROOM = 2.0**-40
"""What grows through many steps of a recurrence is at its end not far below what an inner product of it was."""


class Scout:
    """Tries calls on a baseline that may die of them."""

    def __init__(self, launch: Callable[[], Side]) -> None:
        self._launch = launch
        self._side: Side | None = None
        self._deaths = 0
        self._deadline = time.monotonic() + SCOUT_S

    def tries_left(self) -> bool:
        return self._deaths < SCOUT_DEATHS and time.monotonic() < self._deadline

    def close(self) -> None:
        if self._side is not None:
            self._side.close()
            self._side = None

    def attempt(self, work: Callable[[Side], Any]) -> Any:
        """What `work` gives, or None where the baseline refuses, or no try is left."""
        if not self.tries_left():
            return None
        try:
            self._side = self._side or self._launch()
            return work(self._side)
        except ArmError as error:
            if error.fatal:
                self._bury()
        except OutOfResources:
            self._bury()
        return None

    def _bury(self) -> None:
        self._deaths += 1
        self.close()


def usable(plain: Reply, reply: Reply | None) -> bool:
    """It ran, wrote nowhere beside its inputs, and is finite wherever the plain call is: statistics of an empty batch
    are NaN, which nobody can rely on."""
    if reply is None or reply.trespassed:
        return False
    expected = {leaf.path: is_finite(leaf) for leaf in plain.leaves}
    return all(is_finite(leaf) for leaf in reply.leaves if expected.get(leaf.path, True))


def finite(reply: Reply) -> bool:
    """Its outputs."""
    return all(map(is_finite, reply.outputs))


def is_calm(plain: Reply, reply: Reply, truth: Reply | None) -> bool:
    """No result and no gradient of it, or of truth, gets so large that another order of its operations may overflow,
    but for what is as large in the plain call: masks filled with a type's least number."""
    loud = {leaf.path for leaf in plain.leaves if not _is_quiet(leaf, leaf.dtype)}
    types = {leaf.path: leaf.dtype for leaf in reply.leaves}
    replies = (reply,) if truth is None else (reply, truth)
    seen = [leaf for one in replies for leaf in (*one.outputs, *one.gradients) if leaf.path not in loud]
    return all(_is_quiet(leaf, types.get(leaf.path, leaf.dtype)) for leaf in seen)


def _is_quiet(leaf: LeafView, dtype: str) -> bool:
    tensor = leaf.tensor
    if tensor is None or not (tensor.is_floating_point() or tensor.is_complex()) or tensor.numel() == 0:
        return True
    most = HEADROOM * torch.finfo(torch.bfloat16).max if dtype in WIDE else float("inf")
    return is_finite(leaf) and float((tensor if tensor.is_complex() else tensor.float()).abs().max()) < most


def is_finite(leaf: LeafView) -> bool:
    """No NaN and no infinity in what was read of it."""
    tensor = leaf.tensor
    if tensor is None or tensor.is_complex():
        return tensor is None or bool(torch.isfinite(tensor).all())
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor.float()).all())
