"""Arguments as a called function has just received them, and what a module was built with."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from outpace_audit.encoding import Encoder, Unencodable, reference_of

if TYPE_CHECKING:
    import torch

VARARGS, VARKEYWORDS = 0x04, 0x08
"""CO_VARARGS and CO_VARKEYWORDS."""


class ArgumentEncoder(Encoder):
    """Also of named tuples, which are made by a call of their class, as modules are."""

    __slots__ = ()

    def _encode_object(self, value: Any, depth: int) -> Any:
        if not isinstance(value, tuple) or not hasattr(type(value), "_fields"):
            return super()._encode_object(value, depth)
        try:
            items = [self.encode(item, depth) for item in value]
        except Unencodable as error:
            raise Unencodable(f"a {type(value).__name__} that holds {error}") from None
        return {"module": [reference_of(type(value)), {"list": items}, {"dict": []}]}


class CallEncoder(ArgumentEncoder):
    """Also of modules that hold no tensors, such as losses and activations: as they were built, in the mode that they
    are in."""

    __slots__ = ()

    def _encode_nested(self, value: Any, depth: int) -> Any:
        import torch

        encoded = super()._encode_nested(value, depth)
        if not isinstance(value, torch.nn.Module):
            return encoded
        called = f"a {type(value).__name__} (an nn.Module)"
        if any(True for _ in (*value.parameters(), *value.buffers())):
            raise Unencodable(f"{called} that holds parameters or buffers")
        if len({module.training for module in value.modules()}) > 1:
            raise Unencodable(f"{called} that is partly in evaluation mode")
        return encoded if value.training else {"evaluating": encoded}


def built_with(made: torch.nn.Module, frame: types.FrameType, encoder: Encoder) -> list[Any]:
    """[class, arguments, keywords] of the constructor that `frame` has entered. A default that has no name of its own,
    such as a lambda, is left out, and what follows it is given by name. Raises Unencodable."""
    positional, keywords = bound_arguments(frame)
    positional.pop(frame.f_code.co_varnames[0])
    defaults = dict(_defaults(made, frame.f_code))
    given, named = list[Any](), list[list[Any]]()
    left_out = False
    for at, (name, value) in enumerate([*positional.items(), *keywords.items()]):
        by_name = left_out or at >= len(positional)
        try:
            encoded = encoder.encode(value)
            if by_name and at < len(positional) and not _takes_name(frame.f_code, name):
                raise Unencodable(f"{name}, which cannot be given by name")
        except Unencodable:
            if name not in defaults or defaults[name] is not value:
                raise
            left_out = True
            continue
        if by_name:
            named.append([name, encoded])
        else:
            given.append(encoded)
    return [reference_of(type(made)), {"list": given}, {"dict": named}]


def _takes_name(code: types.CodeType, name: str) -> bool:
    return name in code.co_varnames[code.co_posonlyargcount : code.co_argcount]


def _defaults(made: torch.nn.Module, code: types.CodeType) -> Iterator[tuple[str, Any]]:
    """The defaults of the constructor with this code, wherever among the bases it is."""
    for base in type(made).__mro__:
        function = inspect.unwrap(vars(base).get("__init__", object.__init__))
        if getattr(function, "__code__", None) is code:
            positional = function.__defaults__ or ()
            names = code.co_varnames[code.co_argcount - len(positional) : code.co_argcount]
            yield from zip(names, positional, strict=True)
            yield from (function.__kwdefaults__ or {}).items()
            return


def bound_arguments(frame: types.FrameType) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments by name as the called function has just received them: positional ones, the `*` ones as `name.0`,
    `name.1`, and keyword-only ones."""
    code, local = frame.f_code, frame.f_locals
    names = code.co_varnames
    count, keyword_only = code.co_argcount, code.co_kwonlyargcount
    positional = {name: local[name] for name in names[:count]}
    keywords = {name: local[name] for name in names[count : count + keyword_only]}
    at = count + keyword_only
    if code.co_flags & VARARGS:
        positional |= {f"{names[at]}.{i}": value for i, value in enumerate(local[names[at]])}
        at += 1
    if code.co_flags & VARKEYWORDS:
        keywords |= local[names[at]]
    return positional, keywords
