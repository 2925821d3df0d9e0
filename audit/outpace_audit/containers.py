"""What results come in. A container of somebody's own may make what it holds when it is read, after the clock has
stopped."""

from __future__ import annotations

import collections
import types
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch


class _Named(NamedTuple):
    field: int


READERS = ("__getitem__", "__iter__", "__len__", "__getattribute__", "__getattr__", "__contains__", "__class__")
MAPPING_READERS = ("keys", "values", "items", "get", "pop", "copy", "setdefault", "popitem", "__or__")
PLAIN = (dict, list, tuple, collections.OrderedDict, collections.defaultdict, torch.Size)
FIELDS = (type(vars(_Named)["field"]), types.MemberDescriptorType, types.GetSetDescriptorType)
"""Through which a field is read as it stands: of a named tuple, a slot, and of a result of torch's own."""


def own_containers(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, name of the type) of each container among results that reads by code of its own; see `flatten`."""
    if isinstance(value, (Mapping, tuple, list)) or hasattr(value, "__dataclass_fields__"):
        if not _reads_as_it_stands(value):
            yield path or "result", type(value).__qualname__
        for name, held in _held(value):
            yield from own_containers(held, f"{path}{name}")


def _held(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((f"[{key!r}]", value[key]) for key in value)
    elif isinstance(value, (tuple, list)):
        yield from ((f"[{i}]", held) for i, held in enumerate(value))
    else:
        yield from ((f".{name}", getattr(value, name)) for name in value.__dataclass_fields__)


def _reads_as_it_stands(value: Any) -> bool:
    kind = type(value)
    if kind in PLAIN:
        return True
    if isinstance(value, (dict, list, tuple)):
        base = next(one for one in (collections.OrderedDict, dict, list, tuple) if issubclass(kind, one))
        names = (*READERS, *MAPPING_READERS) if isinstance(value, dict) else READERS
        fields = getattr(kind, "_fields", ()) if isinstance(value, tuple) else ()
        return all(_found(kind, name) is _found(base, name) for name in names) and all(
            isinstance(_found(kind, name), FIELDS) for name in fields
        )
    if isinstance(value, Mapping):
        return False
    return _found(kind, "__getattribute__") is object.__getattribute__ and all(
        isinstance(_found(kind, name), FIELDS) or (name in vars(value) and not hasattr(_found(kind, name), "__get__"))
        for name in value.__dataclass_fields__
    )


def _found(kind: type, name: str) -> Any:
    """A class's attribute as it stands there, or None."""
    return next((vars(one)[name] for one in kind.__mro__ if name in vars(one)), None)
