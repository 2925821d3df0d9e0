"""A function whose masks are made of the scores' sizes and device, as if they were made of the operands' own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Patch

from .attention_ops import integer, product, transposed
from .flow import changed, loads
from .numbers_known import is_number
from .scope import Block, Scope
from .writing import Edit, make_patch


def with_own_sizes(code: Code, scope: Scope) -> Patch | None:
    """`scores.shape[-1]` is `key.shape[-2]`: so nothing but softmax reads the scores."""
    edit = Edit()
    for block in scope.blocks():
        for place, statement in enumerate(block):
            operands = _operands(scope, statement)
            if operands is not None:
                for node, text in _reads(scope, block, place, *operands):
                    edit.expression(scope.source, node, text)
    return make_patch(scope.source, code, scope.definition, edit) if edit.expressions else None


def _operands(scope: Scope, statement: ast.stmt) -> tuple[str, str, str] | None:
    """(scores, query, key) of `scores = query @ key.transpose(-2, -1) * scale`, where both operands are names."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            pass
        case _:
            return None
    while isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Mult, ast.Div)):
        if not is_number(scope, value.right):
            return None
        value = value.left
    made = product(scope, value)
    if made is None or not isinstance(made.left, ast.Name) or made.left_text != made.left.id:
        return None
    right = made.right if made.order else transposed(scope, made.right)
    if not isinstance(right, ast.Name) or (made.order and made.right_text != f"{right.id}.transpose(-2, -1)"):
        return None
    return (name, made.left.id, right.id) if name not in (made.left.id, right.id) else None


def _reads(scope: Scope, block: Block, place: int, name: str, query: str, key: str) -> Iterator[tuple[ast.expr, str]]:
    """What asks for the scores' size or device while all three names are what they were at the product."""
    for statement in block[place + 1 :]:
        for read in loads(statement, name):
            found = _asked(scope, read, query, key)
            if found is not None:
                yield found
        rebound = changed(statement)
        if rebound & {query, key} or (name in rebound and not isinstance(statement, ast.AugAssign)):
            return


def _asked(scope: Scope, read: ast.Name, query: str, key: str) -> tuple[ast.expr, str] | None:
    attribute = scope.parents.get(read)
    if not isinstance(attribute, ast.Attribute):
        return None
    if attribute.attr == "device":
        return attribute, f"{query}.device"
    sizes = {-1: f"{key}.shape[-2]", -2: f"{query}.shape[-2]"}
    outer = scope.parents.get(attribute)
    match outer:
        case ast.Subscript(slice=ast.Slice(lower=lower, upper=None, step=None)) if attribute.attr == "shape":
            return (outer, f"({sizes[-2]}, {sizes[-1]})") if integer(lower) == -2 else None
        case ast.Subscript(slice=index) if attribute.attr == "shape" and integer(index) in sizes:
            return outer, sizes[integer(index) or 0]
        case ast.Call(args=[index], keywords=[]) if attribute.attr == "size" and integer(index) in sizes:
            return outer, sizes[integer(index) or 0]
        case _:
            return None
