"""What is kept of the calls that were seen: one record for each target, one for each distinct workload of it."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from outpace_audit.capture.arguments import CallEncoder
from outpace_audit.capture.definitions import names_of_definitions
from outpace_audit.capture.statistics import describe_tensor, value_statistics
from outpace_audit.encoding import Encoder, Unencodable

Constructor = Callable[[torch.nn.Module], list[Any] | None]
"""What a module was built with, where that was seen."""
WORKLOADS = 32
"""Distinct workloads kept of one target. What varies more often than that is a counter or a ragged batch."""
GLOBAL_BYTES = 1 << 18
"""Of one module-level value as JSON. Larger ones are data, which a script loads again."""
SAMPLES = 4
"""Calls of one workload whose values are looked at: enough to see whether whole numbers are always the same."""


@dataclass(slots=True)
class SeenWorkload:
    """`structure` holds positional arguments, then keywords, as `encoding` has it; its leaves are `tensors`."""

    structure: Mapping[str, Any]
    tensors: list[dict[str, Any]]
    gradients: bool
    autocast: str | None
    calls: int = 0
    samples: list[list[dict[str, Any]]] = field(default_factory=list[list[dict[str, Any]]])


@dataclass(slots=True)
class SeenTarget:
    """`seconds` are of the host's clock, from call to return, what it calls included."""

    path: str
    name: str
    kind: str
    module: str
    parameters: list[str]
    calls: int = 0
    seconds: float = 0.0
    trouble: str | None = None
    """Why some call, or its constructor, cannot be repeated elsewhere."""
    constructor: Any = None
    dtype: str | None = None
    globals: dict[str, Any] = field(default_factory=dict[str, Any])
    workloads: dict[str, SeenWorkload] = field(default_factory=dict[str, SeenWorkload])
    further: int = 0
    """Calls of workloads beyond the first WORKLOADS."""

    def add(self, positional: Mapping[str, Any], keywords: Mapping[str, Any], constructor: Constructor) -> None:
        """One call with its bound arguments. What cannot be described ends in `trouble`."""
        self.calls += 1
        try:
            structure, found = _described(positional, keywords, constructor)
        except Unencodable as error:
            self.trouble = f"it is called with {error}"
            return
        tensors = [{"name": name, **describe_tensor(tensor)} for name, tensor in found]
        device = found[0][1].device.type if found else "cpu"
        autocast = str(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else None
        fresh = SeenWorkload(structure, tensors, torch.is_grad_enabled(), autocast and autocast.removeprefix("torch."))
        key = json.dumps([structure, tensors, fresh.gradients, autocast])
        seen = self.workloads.get(key)
        if seen is None:
            if len(self.workloads) >= WORKLOADS:
                self.further += 1
                return
            seen = self.workloads[key] = fresh
        seen.calls += 1
        if len(seen.samples) < SAMPLES and not _capturing_graph():
            seen.samples.append([value_statistics(tensor) for _, tensor in found])


class _Tensors:
    """The tensors of one call, each by the name of its argument: `x`, or `cache.0`, `cache.1` for a nested one."""

    def __init__(self, constructor: Constructor) -> None:
        self.found: list[tuple[str, torch.Tensor]] = []
        self._encoder = CallEncoder(self._number, constructor)
        self._argument = ""
        self._before = 0

    def encode(self, argument: str, value: Any) -> Any:
        self._argument, self._before = argument, len(self.found)
        return self._encoder.encode(value)

    def _number(self, value: Any) -> int | None:
        if not isinstance(value, torch.Tensor):
            return None
        if type(value) not in (torch.Tensor, torch.nn.Parameter) or _is_wrapped(value):
            raise Unencodable(f"a {type(value).__name__} that stands for another tensor")
        if value.layout is not torch.strided or value.is_quantized:
            raise Unencodable(f"a tensor of layout {value.layout}")
        index = len(self.found) - self._before
        self.found.append((f"{self._argument}.{index}" if index else self._argument, value))
        return len(self.found) - 1


def _described(
    positional: Mapping[str, Any], keywords: Mapping[str, Any], constructor: Constructor
) -> tuple[dict[str, Any], list[tuple[str, torch.Tensor]]]:
    tensors = _Tensors(constructor)
    structure = {
        "positional": [tensors.encode(name, value) for name, value in positional.items()],
        "keywords": {name: tensors.encode(name, value) for name, value in keywords.items()},
    }
    return structure, tensors.found


def _is_wrapped(tensor: torch.Tensor) -> bool:
    """Of vmap, grad and their kin: the values that a call sees are not those of one call."""
    functorch = getattr(torch._C, "_functorch", None)  # pyright: ignore[reportPrivateUsage] - torch has no public name
    return functorch is not None and functorch.is_functorch_wrapped_tensor(tensor)


def _capturing_graph() -> bool:
    """Reading a value would break the capture of a CUDA graph."""
    return torch.cuda.is_available() and torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing()


def plain_globals(path: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the module-level names that definitions of the script read and that are no definitions themselves."""
    encoder, found = Encoder(), dict[str, Any]()
    for name in names_of_definitions(path) & namespace.keys():
        value = namespace[name]
        if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)):
            continue
        try:
            encoded = encoder.encode(value)
        except Unencodable:
            continue  # the statement that made it is run again instead
        if len(json.dumps(encoded)) <= GLOBAL_BYTES:
            found[name] = encoded
    return found


def parameter_dtype(module: torch.nn.Module) -> str | None:
    """The one floating dtype of a module's parameters, if it is not the default."""
    found = {parameter.dtype for parameter in module.parameters() if parameter.is_floating_point()}
    if len(found) != 1 or found == {torch.get_default_dtype()}:
        return None
    return str(found.pop()).removeprefix("torch.")


def home_of(kind: type) -> str | None:
    """The file that defines a class at its top level."""
    if "." in kind.__qualname__:
        return None
    return getattr(sys.modules.get(kind.__module__), "__file__", None)
