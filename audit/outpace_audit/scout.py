"""A process that a baseline may die in, where it is asked for more than was declared."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from outpace_audit.errors import ArmError, OutOfResources
from outpace_audit.sides import LeafView, Reply, Side
from outpace_audit.thresholds import SCOUT_DEATHS, SCOUT_S


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


def is_finite(leaf: LeafView) -> bool:
    """No NaN and no infinity in what was read of it."""
    tensor = leaf.tensor
    if tensor is None or tensor.is_complex():
        return tensor is None or bool(torch.isfinite(tensor).all())
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor.float()).all())
