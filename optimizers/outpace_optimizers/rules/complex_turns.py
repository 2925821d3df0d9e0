"""Where pairs of numbers are multiplied as complex ones: `view_as_real(view_as_complex(pairs) * by)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .names import own_nodes
from .scope import Scope
from .single_use import latest, meant
from .writing import Edit

_OWN = "resolve_conj"
"""What the functions that such edits write call, and few others."""


@dataclass(frozen=True, slots=True)
class Turn:
    """In one expression, or over names that nothing else reads."""

    node: ast.expr
    """`view_as_real(product)`."""
    product: ast.expr
    whole: ast.expr
    """The product itself, where that goes by a name."""
    number: ast.expr
    """The factor made of pairs."""
    made: ast.expr
    """What makes it, where it goes by a name that nothing else reads."""
    pairs: ast.expr | None
    """None where the name is read elsewhere too."""
    shared: ast.expr | None
    """What the name was given, `view_as_complex(pairs)`, where it is read elsewhere too."""
    by: ast.expr


def complex_turns(scope: Scope) -> Iterator[Turn]:
    if any(isinstance(node, ast.Attribute) and node.attr == _OWN for node in own_nodes(scope.function)):
        return
    for node in own_nodes(scope.function):
        turn = _turn(scope, node) if isinstance(node, ast.expr) else None
        if turn is not None:
            yield turn


def _turn(scope: Scope, node: ast.expr) -> Turn | None:
    product = _given(scope, node, "torch.view_as_real")
    if product is None:
        return None
    whole = meant(scope, product)
    sides = _sides(scope, whole)
    for number, by in (sides, sides[::-1]) if sides is not None else ():
        made = meant(scope, number)
        pairs = complex_pairs(scope, made)
        last = latest(scope, number)
        shared = last if pairs is None and complex_pairs(scope, last) is not None else None
        if pairs is not None or shared is not None:
            return Turn(node, product, whole, number, made, pairs, shared, by)
    return None


def pairs_of(edit: Edit, scope: Scope, turn: Turn, text: str | None) -> str:
    """What the pairs go by at the turn. `text`: how they are written now, where they are not read elsewhere."""
    if text is None:
        return f"torch.view_as_real({scope.text(turn.number)})"
    if turn.made is turn.number:
        return text
    edit.expression(scope.source, turn.made, text)
    return scope.text(turn.number)


def write_turn(edit: Edit, scope: Scope, turn: Turn, text: str) -> None:
    """`text` in place of the turn, at its product."""
    if turn.whole is not turn.product:
        edit.expression(scope.source, turn.whole, text)
        text = scope.text(turn.product)
    edit.expression(scope.source, turn.node, text)


def spelled(scope: Scope, node: ast.expr) -> str:
    """Its text, binding as tightly as a call."""
    loose = not isinstance(node, (ast.Name, ast.Call, ast.Attribute, ast.Subscript))
    return f"({scope.text(node)})" if loose else scope.text(node)


def complex_pairs(scope: Scope, node: ast.expr) -> ast.expr | None:
    """Of `view_as_complex(pairs)`."""
    return _given(scope, node, "torch.view_as_complex")


def _given(scope: Scope, node: ast.AST, name: str) -> ast.expr | None:
    call = scope.names.call(node)
    return call[1][0] if call is not None and call[0] == name and len(call[1]) == 1 and not call[2] else None


def _sides(scope: Scope, node: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return node.left, node.right
    call = scope.names.call(node)
    if call is not None and call[0] in ("torch.mul", ".mul") and len(call[1]) == 2 and not call[2]:
        return call[1][0], call[1][1]
    return None
