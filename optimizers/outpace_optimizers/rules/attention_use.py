"""Forwards from softmax to the product with the values, through casts, dropout and reassignments."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from .attention_ops import CASTS, Product, dropout, product, transposed, wrapped
from .attention_trace import Link, plain_test
from .flow import changed, last_change, later_loads, number
from .scope import Block, Scope


@dataclass(frozen=True)
class Use:
    """How the probabilities `node` at block[at] are used: finally as one operand of `product`."""

    node: ast.expr
    at: int
    used: frozenset[ast.stmt] = frozenset()
    links: tuple[Link, ...] = ()
    dropout: str = ""
    cast: bool = False
    product: Product | None = None
    zeroed: tuple[ast.expr, ...] = ()
    """Conditions under which probabilities are set to zero; None inside stands for NaN."""
    dtypes: frozenset[int] = frozenset()
    """Ids of the name nodes that casts read for a dtype alone."""
    flipped: bool = False
    """values @ probabilities transposed: the result is the transpose of attention over transposed values."""


def follow(scope: Scope, block: Block, node: ast.expr, at: int) -> Use | None:
    """The one product with values that consumes softmax `node`; None where anything else reads it."""
    use: Use | None = Use(node, at)
    for _ in range(20):
        if use is None or use.product is not None:
            return use
        use = _step(scope, block, use)
    return None


def _step(scope: Scope, block: Block, use: Use) -> Use | None:
    parent = scope.parents.get(use.node)
    if isinstance(parent, ast.Assign) and parent.value is use.node and len(parent.targets) == 1:
        return _assigned(scope, block, use, parent.targets[0])
    if isinstance(parent, ast.AnnAssign) and parent.value is use.node:
        return _assigned(scope, block, use, parent.target)
    if isinstance(parent, ast.Attribute):
        call = scope.parents.get(parent)
        if isinstance(call, ast.Call) and call.func is parent and "." + parent.attr in CASTS:
            return replace(use, node=call, cast=True, dtypes=use.dtypes | _dtype_reads(call))
    cleared = _cleared(scope, use, parent)
    if cleared is not None:
        return cleared
    if isinstance(parent, (ast.keyword, ast.List, ast.Tuple)):
        parent = scope.parents.get(parent)
    if not isinstance(parent, ast.expr):
        return None
    dropped = dropout(scope, parent)
    if dropped is not None and dropped[0] is use.node:
        if use.dropout and dropped[1]:
            return None
        return replace(use, node=parent, dropout=use.dropout or dropped[1])
    return _consumed(scope, use, parent)


def _dtype_reads(call: ast.Call) -> frozenset[int]:
    """The `s` of `.type_as(s)` and `.to(s.dtype)`."""
    whole = isinstance(call.func, ast.Attribute) and call.func.attr == "type_as"
    given = [*call.args, *(key.value for key in call.keywords)]
    asked = [node.value for node in given if isinstance(node, ast.Attribute) and node.attr == "dtype"]
    return frozenset(id(node) for node in (given if whole else asked) if isinstance(node, ast.Name))


def _cleared(scope: Scope, use: Use, parent: ast.AST | None) -> Use | None:
    """`p.masked_fill(mask == 0, 0.0)` and `torch.nan_to_num(p)`: SDPA gives rows all masked zeros."""
    node = scope.parents.get(parent) if isinstance(parent, ast.Attribute) else parent
    call = scope.names.call(node) if node is not None else None
    if call is None or not isinstance(node, ast.Call) or not call[1] or call[1][0] is not use.node:
        return None
    name, args, keywords = call
    if name in ("torch.nan_to_num", ".nan_to_num") and len(args) == 1 and not keywords:
        return replace(use, node=node, zeroed=(*use.zeroed, node))
    if name in (".masked_fill", "torch.masked_fill") and len(args) == 3 and number(args[2]) == 0:
        return replace(use, node=node, zeroed=(*use.zeroed, args[1]))
    return None


def _consumed(scope: Scope, use: Use, parent: ast.expr) -> Use | None:
    made = product(scope, parent)
    if made is None and isinstance(parent, ast.Attribute):
        call = scope.parents.get(parent)
        if isinstance(call, ast.Call) and call.func is parent:
            made, parent = product(scope, call), call
            if made is None and transposed(scope, call) is use.node:
                return replace(use, node=call, flipped=not use.flipped)
    if made is None and transposed(scope, parent) is use.node:
        return replace(use, node=parent, flipped=not use.flipped)
    flipped = use.flipped or (made is not None and _turned(scope, use, made))
    if made is None or not (_on_the_right(scope, use, made) if flipped else _on_the_left(scope, use, made)):
        return None
    return replace(use, node=parent, product=made, flipped=flipped)


def _on_the_left(scope: Scope, use: Use, made: Product) -> bool:
    return made.left is use.node and not (made.left_text.endswith(")") and _relaid(scope, made))


def _on_the_right(scope: Scope, use: Use, made: Product) -> bool:
    """`values @ p.transpose(-2, -1)`."""
    plain = not made.order or (made.order == tuple(sorted(made.order)) and made.left_text == wrapped(scope, made.left))
    return made.right is use.node and plain


def _turned(scope: Scope, use: Use, made: Product) -> bool:
    """An einsum that reads the probabilities as its right operand, key before query: `bts,bcs->bct`."""
    return made.right is use.node and made.right_text == wrapped(scope, made.right) + ".transpose(-2, -1)"


def _relaid(scope: Scope, made: Product) -> bool:
    """Whether an einsum reads the probabilities in another order than (..., query, key)."""
    return made.left_text != scope.text(made.left) and made.left_text != f"({scope.text(made.left)})"


def _assigned(scope: Scope, block: Block, use: Use, target: ast.expr) -> Use | None:
    if not isinstance(target, ast.Name) or not isinstance(block[use.at], (ast.Assign, ast.AnnAssign)):
        return None
    reads = later_loads(scope, block, use.at, target.id)
    if not reads:
        return None
    first = reads[0]
    place = scope.block_of(first)
    if place is None:
        return None
    used = use.used | {block[use.at]}
    if place[0] is not block:
        return _guarded(scope, block, replace(use, used=used), target.id, first)
    if len(reads) != 1:
        return None
    link = Link(target.id, use.at, frozenset({id(first)}))
    return replace(use, node=first, at=place[1], used=used, links=(*use.links, link))


def _guarded(scope: Scope, block: Block, use: Use, name: str, first: ast.Name) -> Use | None:
    """`if self.dropout is not None: p = self.dropout(p)`, then the one use of `p`."""
    holder = next((node for node in block[use.at + 1 :] if first in ast.walk(node)), None)
    match holder:
        case ast.If(test=test, body=[ast.Assign(targets=[ast.Name(id=target)], value=value) as inner], orelse=[]):
            pass
        case _:
            return None
    dropped = dropout(scope, value)
    if target != name or dropped is None or dropped[0] is not first or use.dropout or not plain_test(test):
        return None
    index = block.index(holder)
    reads = later_loads(scope, block, use.at, name)
    if reads is None or len(reads) != 2 or name in changed(test) or last_change(block, index, name) != use.at:
        return None
    place = scope.block_of(reads[1])
    if place is None or place[0] is not block:
        return None
    rate = f"({dropped[1]}) if {scope.text(test)} else 0.0" if dropped[1] else ""
    link = Link(name, use.at, frozenset(id(read) for read in reads))
    return replace(
        use, node=reads[1], at=place[1], used=use.used | {inner}, links=(*use.links, link), dropout=rate
    )  # fmt: skip
