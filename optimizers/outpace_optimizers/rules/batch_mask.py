"""Indexing by a mask, which `torch.vmap` can't batch: its result has a size of its own in every iteration."""

from __future__ import annotations

import ast
import re

from .flow import names_in
from .names import words
from .numbers_known import is_number
from .scope import Scope

_WHOLE = words("long int argmax argmin argsort arange randperm randint")
"""Calls whose result is an integer or a tensor of integers."""

_INDEX = re.compile(
    r"(^|_)(i|j|k|idx|ind|index|indices|inds|ids?|labels?|targets?|perm|order|tokens?|src|dst|y|pos)(_|\d|$)"
)
"""Names that people give to tensors of integers."""


def may_be_masked(scope: Scope, node: ast.Subscript, values: dict[str, ast.expr], tensors: set[str]) -> bool:
    """Whether the index may be a boolean tensor; `values`: what the loop's body gives its names."""
    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return any(
        names_in(item) & tensors and not _integers(item, values) and not is_number(scope, item)
        for item in items
        if not isinstance(item, ast.Slice)
    )


def _integers(node: ast.expr, values: dict[str, ast.expr]) -> bool:
    """Whether the expression is one of integers, by its form or by its name."""
    match node:
        case ast.Name(id=name) if name in values:
            rest = {key: value for key, value in values.items() if key != name}
            return _integers(values[name], rest)
        case ast.Name(id=name):
            return _INDEX.search(name) is not None
        case ast.Attribute(attr=name):
            return _INDEX.search(name) is not None
        case ast.Subscript(value=value):
            return _integers(value, values)
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _WHOLE
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Mod() | ast.FloorDiv(), right=right):
            return any(_integers(side, values) for side in (left, right))
        case _:
            return False
