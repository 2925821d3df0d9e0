"""Python values as JSON and back, without pickle: what constructors, configurations and plain arguments are made of.

None, booleans, whole numbers, finite floats and texts stand for themselves; everything else is an object with one key:
{"tuple": [...]}, {"list": [...]}, {"set": [...]}, {"dict": [[key, value], ...]}, {"float": "inf"}, {"size": [...]},
{"dtype": "bfloat16"}, {"device": "cuda"}, {"tensor": {...}}, {"reference": "module:name"}, {"enum": [class, name]},
{"partial": [function, arguments, keywords]}, {"object": [class, {attribute: value}]},
{"module": [class, arguments, keywords]} for an nn.Module by its constructor, {"evaluating": {...}} for one in
evaluation mode, and {"leaf": i} for one of a list that is kept apart. Reading an object calls no constructor but an
nn.Module's.
"""

from __future__ import annotations

import enum
import functools
import importlib
import math
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

DEPTH = 12
"""Of nesting. Deeper than any configuration; what is deeper refers to itself."""
TENSOR_ELEMENTS = 4096
"""Larger tensors are data, not configuration."""
MAIN_NAMES = ("__main__", "__mp_main__")
FOREIGN_HOMES = ("torch", "torch.nn.functional", "torch.nn", "math", "builtins")
"""Where functions written in C are found that do not say where they live."""


class Unencodable(Exception):  # noqa: N818 - the message says what it is
    """A value that cannot be made again elsewhere; the message names it."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """`leaf` gives the number of a value that is kept apart, `constructor` what an nn.Module was built with; either may
    answer None."""

    leaf: Callable[[Any], int | None] = lambda value: None
    constructor: Callable[[Any], Any | None] = lambda module: None

    def encode(self, value: Any, depth: int = 0) -> Any:
        """Raises Unencodable."""
        if depth > DEPTH:
            raise Unencodable("something nested too deeply")
        number = self.leaf(value)
        if number is not None:
            return {"leaf": number}
        plain = _encode_plain(value)
        if plain is not _NOT_PLAIN:
            return plain
        return self._encode_nested(value, depth + 1)

    def _encode_nested(self, value: Any, depth: int) -> Any:
        if type(value) in (tuple, list, set, frozenset):
            kind = "set" if isinstance(value, (set, frozenset)) else type(value).__name__
            return {kind: [self.encode(item, depth) for item in value]}
        if type(value) is dict:
            return {"dict": [[self.encode(k, depth), self.encode(v, depth)] for k, v in value.items()]}
        if isinstance(value, functools.partial):
            parts = (value.func, list(value.args), dict(value.keywords))
            return {"partial": [self.encode(part, depth) for part in parts]}
        if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
            return {"reference": reference_of(value)}
        if isinstance(value, enum.Enum):
            return {"enum": [reference_of(type(value)), value.name]}
        if _is_module(value):
            built = self.constructor(value)
            if built is None:
                raise Unencodable(f"a {type(value).__name__} that was not seen being built")
            return {"module": built}
        return self._encode_object(value, depth)

    def _encode_object(self, value: Any, depth: int) -> Any:
        held = attributes_of(value)
        if held is None:
            raise Unencodable(f"a {type(value).__name__}")
        reference = reference_of(type(value))
        if reference.partition(":")[0].partition(".")[0] == "torch":
            raise Unencodable(f"a {type(value).__name__}")
        try:
            return {"object": [reference, {name: self.encode(item, depth) for name, item in held.items()}]}
        except Unencodable as error:
            raise Unencodable(f"a {type(value).__name__} that holds {error}") from None


@dataclass(frozen=True, slots=True)
class Decoder:
    """`main` stands for the module that was the script; `leaves` are what {"leaf": i} means."""

    main: types.ModuleType | None = None
    leaves: Sequence[Any] = ()
    device: str = "cpu"
    _tags: dict[str, Callable[[Decoder, Any], Any]] = field(default_factory=lambda: _DECODERS)

    def decode(self, value: Any) -> Any:
        """Raises LookupError, AttributeError or ImportError where a name is gone, TypeError for another format."""
        if not isinstance(value, Mapping):
            return value
        ((tag, payload),) = value.items()
        return self._tags[tag](self, payload)

    def all(self, values: Sequence[Any]) -> list[Any]:
        return [self.decode(value) for value in values]

    def resolve(self, reference: str) -> Any:
        home, _, qualname = reference.partition(":")
        found: Any = self.main if home in MAIN_NAMES and self.main else importlib.import_module(home)
        for name in qualname.split("."):
            found = getattr(found, name)
        return found


def reference_of(value: Any) -> str:
    """`module:qualname` of a class or function that can be found under that name."""
    home, qualname = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    for place in (home, *FOREIGN_HOMES):
        found: Any = sys.modules.get(place or "")
        for name in qualname.split("."):
            found = getattr(found, name, None)
        if found is value:
            return f"{place}:{qualname}"
    raise Unencodable(f"{getattr(value, '__name__', 'something')}, which has no name of its own in {home}")


def main_names(encoded: Any) -> Iterator[str]:
    """Top-level names of the script that an encoded value refers to."""
    if isinstance(encoded, str):
        home, _, qualname = encoded.partition(":")
        if home in MAIN_NAMES and qualname:
            yield qualname.partition(".")[0]
    elif isinstance(encoded, Mapping):
        for value in encoded.values():
            yield from main_names(value)
    elif isinstance(encoded, (list, tuple)):
        for value in encoded:
            yield from main_names(value)


def attributes_of(value: Any) -> dict[str, Any] | None:
    """What an object holds; None for one that keeps it where Python cannot see."""
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value) if hasattr(value, f.name)} | _own(value)
    held = _own(value)
    return held if hasattr(value, "__dict__") and not hasattr(type(value), "__slots__") else None


def _own(value: Any) -> dict[str, Any]:
    return dict(getattr(value, "__dict__", {}))


_NOT_PLAIN = object()


def _encode_plain(value: Any) -> Any:
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": str(value)}
    torch = sys.modules.get("torch")
    if torch is None:
        return _NOT_PLAIN
    if isinstance(value, torch.dtype):
        return {"dtype": str(value).removeprefix("torch.")}
    if isinstance(value, torch.device):
        return {"device": value.type}
    if isinstance(value, torch.Size):
        return {"size": list(value)}
    if isinstance(value, torch.Tensor):
        return _encode_tensor(value)
    return _NOT_PLAIN


def _encode_tensor(tensor: Any) -> Any:
    import torch

    if type(tensor) not in (torch.Tensor, torch.nn.Parameter) or tensor.numel() > TENSOR_ELEMENTS:
        raise Unencodable(f"a tensor of {tensor.numel()} elements")
    dtype = str(tensor.dtype).removeprefix("torch.")
    if tensor.is_complex() or (tensor.element_size() < 2 and tensor.is_floating_point()):
        raise Unencodable(f"a tensor of {dtype}")
    values = [_encode_plain(item) for item in tensor.detach().reshape(-1).tolist()]
    return {"tensor": {"dtype": dtype, "shape": list(tensor.shape), "values": values}}


def _is_module(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def _tensor(decoder: Decoder, payload: Mapping[str, Any]) -> Any:
    import torch

    values = decoder.all(payload["values"])
    tensor = torch.tensor(values, dtype=getattr(torch, payload["dtype"]), device=decoder.device)
    return tensor.reshape(payload["shape"])


def _torch(name: str) -> Callable[[Decoder, Any], Any]:
    def made(decoder: Decoder, payload: Any) -> Any:
        import torch

        return {
            "dtype": lambda: getattr(torch, payload),
            "device": lambda: torch.device(decoder.device),
            "size": lambda: torch.Size(payload),
        }[name]()

    return made


def _object(decoder: Decoder, payload: Sequence[Any]) -> Any:
    reference, held = payload
    kind = decoder.resolve(reference)
    made = kind.__new__(kind)
    for name, value in held.items():
        object.__setattr__(made, name, decoder.decode(value))  # also where a frozen dataclass forbids it
    return made


def _module(decoder: Decoder, payload: Sequence[Any]) -> Any:
    reference, arguments, keywords = payload
    return decoder.resolve(reference)(*decoder.decode(arguments), **decoder.decode(keywords))


def _partial(decoder: Decoder, payload: Sequence[Any]) -> Any:
    function, arguments, keywords = decoder.all(payload)
    return functools.partial(function, *arguments, **keywords)


_DECODERS: dict[str, Callable[[Decoder, Any], Any]] = {
    "tuple": lambda decoder, payload: tuple(decoder.all(payload)),
    "list": lambda decoder, payload: decoder.all(payload),
    "set": lambda decoder, payload: set(decoder.all(payload)),
    "dict": lambda decoder, payload: {decoder.decode(k): decoder.decode(v) for k, v in payload},
    "float": lambda decoder, payload: float(payload),
    "size": _torch("size"),
    "dtype": _torch("dtype"),
    "device": _torch("device"),
    "tensor": _tensor,
    "reference": lambda decoder, payload: decoder.resolve(payload),
    "enum": lambda decoder, payload: decoder.resolve(payload[0])[payload[1]],
    "partial": _partial,
    "object": _object,
    "module": _module,
    "evaluating": lambda decoder, payload: decoder.decode(payload).eval(),
    "leaf": lambda decoder, payload: decoder.leaves[payload],
}
