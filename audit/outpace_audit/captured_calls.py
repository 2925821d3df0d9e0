"""Calls as the captured run made them, inside an arm: constructors, nested arguments, and the names of the script."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Any

from torch.utils._pytree import register_pytree_node

from outpace_audit.encoding import Decoder
from outpace_audit.records import Captured


class Keywords(dict[str, Any]):
    """Keyword arguments of a call, as the last of its arguments."""


register_pytree_node(
    Keywords,
    lambda keywords: (list(keywords.values()), list(keywords)),
    lambda values, names: Keywords(zip(names, values, strict=True)),
)


def call_arguments(
    structure: Mapping[str, Any], leaves: Sequence[Any], main: types.ModuleType, device: str
) -> list[Any]:
    decoder = Decoder(main, leaves, device)
    arguments = decoder.all(structure["positional"])
    keywords = {name: decoder.decode(value) for name, value in structure["keywords"].items()}
    return [*arguments, Keywords(keywords)] if keywords else arguments


def split_keywords(arguments: Sequence[Any]) -> tuple[Sequence[Any], Mapping[str, Any]]:
    if arguments and isinstance(arguments[-1], Keywords):
        return arguments[:-1], arguments[-1]
    return arguments, {}


def constructor_arguments(
    captured: Captured, main: types.ModuleType, device: str
) -> tuple[list[Any], Mapping[str, Any]]:
    assert captured.constructor is not None, "a module's"
    decoder = Decoder(main, device=device)
    _, arguments, keywords = captured.constructor
    return decoder.decode(arguments), decoder.decode(keywords)


def captured_value(captured: Captured, name: str, main: types.ModuleType) -> Any:
    return Decoder(main).decode(captured.globals[name])
