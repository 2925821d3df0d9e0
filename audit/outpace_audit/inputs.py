"""Makes one call's arguments on the device from a seed, inside an arm. Both sides and the oracle run this same code."""

from __future__ import annotations

import random
import sys
import types
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._pytree import (
    tree_flatten,
    tree_map,
    tree_unflatten,
)  # torch.utils has no public tree; this one is what torch itself exports

from outpace_audit import laws
from outpace_audit.captured_calls import call_arguments
from outpace_audit.errors import ArmError
from outpace_audit.fitting import is_ordered
from outpace_audit.records import Workload
from outpace_audit.tensors import is_inexact, reals
from outpace_audit.values import revalue

SCALED = "scaled"
INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
FEW_VALUES = 3
"""A floating tensor with at most this many distinct values is taken for a mask or a constant, never perturbed."""


def seed_everything(seed: int) -> None:
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)


@contextmanager
def seeding_ignored() -> Generator[None]:
    """Input makers that seed themselves would give the same values for ever; their seeding is without effect here."""
    numpy = sys.modules.get("numpy")
    kept = torch.manual_seed, random.seed, numpy.random.seed if numpy else None
    torch.manual_seed = lambda seed: torch.default_generator  # pyright: ignore[reportAttributeAccessIssue]
    random.seed = lambda *args, **kwargs: None
    if numpy:
        numpy.random.seed = lambda *args, **kwargs: None
    try:
        yield
    finally:
        torch.manual_seed, random.seed = kept[:2]  # pyright: ignore[reportAttributeAccessIssue]
        if numpy:
            numpy.random.seed = kept[2]


class InputMaker:
    """Arguments of a workload. `source` is the baseline's module: it owns get_inputs, whichever side asks."""

    def __init__(self, workload: Workload, source: types.ModuleType, device: torch.device) -> None:
        self._workload = workload
        self._source = source
        self._device = device
        self._draws_on_device = True

    def make(self, seed: int, *, values: str = "") -> list[Any]:
        """Positional arguments. `values`: "scaled" multiplies each floating tensor by a power of two drawn from the
        seed; else a name in `VALUE_LAWS`."""
        arguments = self._draw(seed)
        if values:
            arguments = self._under_law(arguments, seed, values)
        return self._nested(arguments) if self._workload.maker == "captured" else arguments

    def _under_law(self, arguments: list[Any], seed: int, values: str) -> list[Any]:
        leaves, tree = tree_flatten(arguments)
        specs = self._workload.args if len(self._workload.args) == len(leaves) else None
        plain = [leaf.detach() if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
        if values == SCALED:
            changed: list[Any] = list(laws.scale_magnitudes(plain, seed, specs))
        else:
            changed = revalue(plain, values, seed, specs)
        for leaf, value in zip(leaves, changed, strict=True):
            if isinstance(leaf, torch.Tensor) and leaf.requires_grad:
                value.requires_grad_()
        return tree_unflatten(changed, tree)

    def _nested(self, leaves: list[Any]) -> list[Any]:
        structure = self._workload.structure
        assert structure is not None, "a captured workload's"
        return call_arguments(structure, leaves, self._source, self._device.type)

    def _draw(self, seed: int) -> list[Any]:
        workload = self._workload
        if workload.maker in ("laws", "captured"):
            return laws.draw_arguments(workload.args, seed, self._device)
        seed_everything(seed)
        try:
            with seeding_ignored():
                arguments = self._ask_on_device(seed)
        except Exception as error:
            raise ArmError("inputs", "raised", f"{workload.entry}() raised {type(error).__name__}: {error}") from error
        placed = [tree_map(self._place, argument) for argument in arguments]
        return self._drawn_anew(placed, seed)

    def _drawn_anew(self, arguments: list[Any], seed: int) -> list[Any]:
        """With those that have a law drawn by it, instead of the maker's constants."""
        specs = self._workload.args
        if len(specs) != len(arguments) or not any(spec.law for spec in specs):
            return arguments
        drawn = laws.draw_arguments([spec for spec in specs if spec.law], seed, self._device)
        renewed = iter(drawn)
        return [next(renewed) if spec.law else made for spec, made in zip(specs, arguments, strict=True)]

    def _ask_on_device(self, seed: int) -> list[Any]:
        """Inputs drawn on a GPU take milliseconds where the CPU takes seconds; makers that insist on the CPU get it."""
        if self._device.type == "cuda" and self._draws_on_device:
            try:
                with self._device:
                    return self._ask_source()
            except Exception:
                self._draws_on_device = False
                seed_everything(seed)
        return self._ask_source()

    def _ask_source(self) -> list[Any]:
        workload = self._workload
        if workload.maker == "get_inputs":
            made = self._entry()()
            return list(made) if isinstance(made, (tuple, list)) else [made]
        scalars = {
            arg.name: laws.plain_value(arg) for arg in workload.args if arg.shape is None and arg.value is not None
        }
        made = self._entry()({**workload.axes, **scalars}, self._device)
        missing = [arg.name for arg in workload.args if arg.shape is not None and arg.name not in made]
        if missing:
            raise KeyError(f"it returned no {', '.join(missing)}")
        return [made.get(arg.name, laws.plain_value(arg)) for arg in workload.args]

    def _entry(self) -> Callable[..., Any]:
        entry = getattr(self._source, self._workload.entry or "", None)
        if not callable(entry):
            raise ArmError("inputs", "raised", f"{self._workload.entry!r} is not a function once the file is imported")
        return entry

    def _place(self, value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        placed = value.detach().to(self._device)
        return placed.requires_grad_(value.requires_grad)


def is_perturbable(tensor: torch.Tensor) -> bool:
    """Whether a few elements may be replaced by others of the same tensor without changing what the tensor means."""
    if not is_inexact(tensor) or tensor.numel() < 2 or tensor.element_size() < 2:
        return False
    sample = reals(tensor.detach()).reshape(-1)[:4096]
    return bool(torch.isfinite(sample).all()) and int(torch.unique(sample).numel()) > FEW_VALUES


def is_index(value: Any) -> bool:
    """Of a type that selects; narrower integers are quantised values."""
    return isinstance(value, torch.Tensor) and value.dtype in (torch.int64, torch.int32)


def is_integer(value: Any) -> bool:
    """An index or a quantised value."""
    return isinstance(value, torch.Tensor) and value.dtype in INTEGERS


def is_loose(tensor: torch.Tensor) -> bool:
    """Perturbable, and in no order that another element would break."""
    return is_perturbable(tensor) and not is_ordered(tensor)
