"""Records to JSON and back. What is read is checked field by field: files come from elsewhere, pipes from arms."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

NOT_FINITE = ("nan", "inf", "-inf")
"""JSON has no such numbers: they are written as these strings."""


class WrongField(ValueError):  # noqa: N818  # the message carries the error
    """Names the field, and what it should have been."""


def plain(value: Any) -> Any:
    """Records, mappings and sequences as JSON has them; what it has no word for, as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def decode(kind: type[T], value: object, where: str = "") -> T:
    """The record of class `kind` whose JSON `value` is. Fields that have a default may be missing, none may be unknown.

    Raises WrongField.
    """
    if not isinstance(value, Mapping):
        raise WrongField(f"{where or kind.__name__}: must be an object, not {_shown(value)}")
    hints, needed = _fields_of(kind)
    for name in value:
        if name not in hints:
            raise WrongField(f"{_at(where, str(name))}: unknown field")
    for name in needed:
        if name not in value:
            raise WrongField(f"{_at(where, name)}: missing")
    return kind(**{name: _decoded(hints[name], item, _at(where, name)) for name, item in value.items()})


def _decoded(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if is_dataclass(hint) and isinstance(hint, type):
        return decode(hint, value, where)
    if origin in (Union, types.UnionType):
        return _one_of(arguments, value, where)
    if origin is Literal:
        if value not in arguments:
            raise WrongField(f"{where}: must be one of {', '.join(map(str, arguments))}, not {_shown(value)}")
        return value
    if origin is tuple:
        return _tuple(arguments, value, where)
    if origin is list:
        if not isinstance(value, list):
            raise WrongField(f"{where}: must be a list, not {_shown(value)}")
        return [_decoded(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value)]
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            raise WrongField(f"{where}: must be an object, not {_shown(value)}")
        return {str(name): _decoded(arguments[1], item, _at(where, str(name))) for name, item in value.items()}
    return _scalar(hint, value, where)


def _one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and types.NoneType in kinds:
        return None
    if isinstance(value, str) and str in kinds:
        return value
    wanted = [kind for kind in kinds if kind is not types.NoneType]
    for kind in wanted[:-1]:
        try:
            return _decoded(kind, value, where)
        except WrongField:
            continue
    return _decoded(wanted[-1], value, where)


def _tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise WrongField(f"{where}: must be a list, not {_shown(value)}")
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(value) != len(kinds):
        raise WrongField(f"{where}: must have {len(kinds)} entries, not {len(value)}")
    return tuple(_decoded(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(zip(kinds, value, strict=True)))


def _scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is float and not isinstance(value, bool):
        if isinstance(value, (int, float)):
            return float(value)
        if value in NOT_FINITE:
            return float(value)
    elif type(value) is kind:
        return value
    words = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    raise WrongField(f"{where}: must be {words.get(kind, kind)}, not {_shown(value)}")


@cache
def _fields_of(kind: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Types by name, and the names that have no default."""
    hints = get_type_hints(kind)
    found = [field for field in fields(kind) if field.init]
    needed = tuple(f.name for f in found if f.default is MISSING and f.default_factory is MISSING)
    return {field.name: hints[field.name] for field in found}, needed


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
