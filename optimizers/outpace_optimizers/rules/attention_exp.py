"""Softmax by its formula: `e = torch.exp(s); p = e / e.sum(-1, keepdim=True)`."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .attention_ops import integer, pick
from .attention_trace import Link
from .flow import last_change
from .scope import Block, Scope


@dataclass(frozen=True)
class Written:
    """The argument of the exponential, at block[at], and what the formula uses up."""

    node: ast.expr
    at: int
    used: frozenset[ast.stmt] = frozenset()
    links: tuple[Link, ...] = ()


def written_out(scope: Scope, block: Block, at: int, node: ast.expr) -> Written | None:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
        return None
    total = scope.names.call(node.right)
    if total is None or total[0] not in (".sum", "torch.sum") or not total[1]:
        return None
    _, args, keywords = total
    kept = pick(args, keywords, 2, "keepdim", "keepdims")
    if integer(pick(args, keywords, 1, "dim", "axis")) != -1 or not isinstance(kept, ast.Constant) or not kept.value:
        return None
    if ast.dump(args[0]) != ast.dump(node.left):
        return None
    inner = _exponent(scope, node.left)
    if inner is not None:
        return Written(inner, at)
    if not isinstance(node.left, ast.Name):
        return None
    index = last_change(block, at, node.left.id)
    match block[index] if index >= 0 else None:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) as made if name == node.left.id:
            inner = _exponent(scope, value)
        case _:
            return None
    if inner is None:
        return None
    reads = frozenset(id(item) for item in ast.walk(node) if isinstance(item, ast.Name))
    return Written(inner, index, frozenset({made}), (Link(name, index, reads),))


def _exponent(scope: Scope, node: ast.expr) -> ast.expr | None:
    call = scope.names.call(node)
    if call is None or call[0] not in ("torch.exp", ".exp") or len(call[1]) != 1 or call[2]:
        return None
    return call[1][0]
