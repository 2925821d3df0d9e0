"""Backwards from softmax to the product of queries and keys, through reassignments, scales, masks and
casts.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import Literal

from .attention_factor import filling, per_row
from .attention_mask import Mask, minus_infinity
from .attention_ops import CASTS, Product, integer, pick, product, wrapped
from .flow import changed, last_change, number, rebinds
from .numbers_known import is_number
from .scope import Block, Scope


@dataclass(frozen=True)
class Scale:
    """A factor on the scores; `op` is * or /. `numeric`: a plain number for certain."""

    op: Literal["*", "/"]
    node: ast.expr
    at: int
    numeric: bool
    test: ast.expr | None = None


@dataclass(frozen=True)
class Fold:
    """Scores of (batch * heads, ...) seen as (batch, heads, ...): `sizes` are the two; or that undone: one size."""

    sizes: tuple[ast.expr, ...]
    at: int
    test: ast.expr | None = None


Op = Scale | Mask | Fold


@dataclass(frozen=True)
class Link:
    """`name`, bound by the statement block[at], is read by the chain: nothing else may read it."""

    name: str
    at: int
    reads: frozenset[int]
    """Ids of the name nodes that the chain itself consumes."""


@dataclass(frozen=True)
class Scores:
    """What was found: the product at block[at], and from it outwards the ops, the statements used up,
    the names.
    """

    product: Product | None
    at: int
    ops: tuple[Op, ...] = ()
    used: frozenset[ast.stmt] = frozenset()
    links: tuple[Link, ...] = ()
    cast: bool = False


@dataclass
class Tracer:
    """Traces within one statement list; `hole` is the name that enters a guarded block from outside."""

    scope: Scope
    block: Block
    hole: str | None = None
    steps: int = field(default=60)

    def peel(self, node: ast.expr, at: int) -> Scores | None:
        """The scores behind `node`, evaluated at block[at]."""
        self.steps -= 1
        if self.steps < 0:
            return None
        if isinstance(node, ast.Name):
            return self.name(node, at)
        if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.MatMult):
            return self.arithmetic(node, at)
        if isinstance(node, ast.IfExp) and isinstance(node.orelse, ast.Name):
            return self.chosen(node, node.orelse, at)
        made = product(self.scope, node)
        if made is not None:
            return None if self.hole else Scores(made, at)
        return self.call(node, at)

    def name(self, node: ast.Name, at: int) -> Scores | None:
        index = last_change(self.block, at, node.id)
        if index < 0:
            link = Link(node.id, -1, frozenset({id(node)}))
            return Scores(None, -1, links=(link,)) if node.id == self.hole else None
        statement = self.block[index]
        inner: Scores | None = None
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == node.id:
                inner = self.peel(value, index)
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if target == node.id:
                inner = self.peel(value, index)
            case ast.AugAssign(target=ast.Name(id=target) as name, op=op, value=value) if target == node.id:
                read = ast.copy_location(ast.Name(target, ast.Load()), name)
                inner = self.peel(ast.copy_location(ast.BinOp(read, op, value), statement), index)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=target))) as call) if target == node.id:
                inner = self.peel(call, index)
            case ast.If(orelse=[]):
                return self.guard(node, statement, index)
            case _:
                return None
        if inner is None:
            return None
        link = Link(node.id, index, frozenset({id(node)}))
        return replace(inner, used=inner.used | {statement}, links=(*inner.links, link))

    def guard(self, node: ast.Name, statement: ast.If, index: int) -> Scores | None:
        """`if mask is not None: scores = scores.masked_fill(...)`: the inner ops apply under the test."""
        if not plain_test(statement.test) or node.id in changed(statement.test):
            return None
        inside = Tracer(self.scope, statement.body, hole=node.id, steps=self.steps)
        inner = inside.name(node, len(statement.body))
        outer = self.name(node, index)
        if inner is None or outer is None or not inner.used or inner.cast:
            return None
        if any(op.test is not None for op in inner.ops):
            return None
        ops = tuple(replace(op, at=index + 1, test=statement.test) for op in inner.ops)
        reads = frozenset[int]().union(*(link.reads for link in inner.links))
        links = tuple(replace(link, reads=link.reads | reads) for link in outer.links)
        link = Link(node.id, index, frozenset({id(node)}) | reads)
        return replace(outer, ops=(*outer.ops, *ops), used=outer.used | inner.used, links=(*links, link))

    def chosen(self, node: ast.IfExp, other: ast.Name, at: int) -> Scores | None:
        """`scores + mask if mask is not None else scores`."""
        inner = Tracer(self.scope, [], hole=other.id, steps=self.steps).peel(node.body, 0)
        outer = self.name(other, at)
        if inner is None or outer is None or inner.cast or not plain_test(node.test) or not outer.links:
            return None
        reads = frozenset[int]().union(*(link.reads for link in inner.links))
        ops = tuple(replace(op, at=at, test=node.test) for op in inner.ops)
        last = outer.links[-1]
        links = (*outer.links[:-1], replace(last, reads=last.reads | reads))
        return replace(outer, ops=(*outer.ops, *ops), links=links)

    def arithmetic(self, node: ast.BinOp, at: int) -> Scores | None:
        match node.op:
            case ast.Mult():
                return self.scaled(node.left, "*", node.right, at) or self.scaled(node.right, "*", node.left, at)
            case ast.Div():
                return self.scaled(node.left, "/", node.right, at)
            case ast.Add():
                return self.biased(node.left, "add", node.right, at) or self.biased(node.right, "add", node.left, at)
            case ast.Sub():
                if self.is_maximum(node.right, node.left):
                    return self.shifted(node, at)
                return self.biased(node.left, "sub", node.right, at)
            case _:
                return None

    def scaled(self, scores: ast.expr, op: Literal["*", "/"], factor: ast.expr, at: int) -> Scores | None:
        inner, factor = self.peel(scores, at), filling(self.scope, factor)
        numeric = inner is not None and is_number(self.scope, factor)
        if inner is None or not (numeric or per_row(self.scope, factor)):
            return None
        return replace(inner, ops=(*inner.ops, Scale(op, factor, at, numeric)))

    def biased(self, scores: ast.expr, kind: Literal["add", "sub"], bias: ast.expr, at: int) -> Scores | None:
        inner = self.peel(scores, at)
        if inner is None or is_number(self.scope, bias):
            return None
        return replace(inner, ops=(*inner.ops, Mask(kind, bias, at)))

    def is_maximum(self, node: ast.expr, scores: ast.expr) -> bool:
        """`s.max(dim=-1, keepdim=True)[0]`, `.values`, `.amax(-1, keepdim=True)`: softmax does not see it."""
        if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.value, ast.Call):
            node = node.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "detach":
            return self.is_maximum(node.func.value, scores)
        call = self.scope.names.call(node)
        if call is None or not call[1] or call[0] not in (".max", ".amax", "torch.max", "torch.amax"):
            return False
        dim, kept = pick(call[1], call[2], 1, "dim", "axis"), pick(call[1], call[2], 2, "keepdim", "keepdims")
        rows = integer(dim) == -1 and isinstance(kept, ast.Constant) and kept.value is True
        return rows and ast.dump(call[1][0]) == ast.dump(scores)

    def shifted(self, node: ast.BinOp, at: int) -> Scores | None:
        inner = self.peel(node.left, at)
        if inner is None or not isinstance(node.left, ast.Name):
            return None
        reads = frozenset(id(item) for item in ast.walk(node.right) if isinstance(item, ast.Name))
        links = (*inner.links[:-1], replace(inner.links[-1], reads=inner.links[-1].reads | reads))
        return replace(inner, links=links)

    def call(self, node: ast.expr, at: int) -> Scores | None:
        call = self.scope.names.call(node)
        if call is None:
            return None
        name, args, keywords = call
        if name in CASTS and args:
            inner = self.peel(args[0], at)
            return replace(inner, cast=True) if inner is not None else None
        if name in ("torch.baddbmm", ".baddbmm", "torch.addmm", ".addmm") and len(args) == 3:
            return self.added(args, keywords, at)
        if name in (".masked_fill", ".masked_fill_", "torch.masked_fill"):
            condition, value = pick(args, keywords, 1, "mask"), pick(args, keywords, 2, "value")
            return self.filled(args[0], "drop", condition, value, at)
        if name in ("torch.where", ".where") and len(args) == 3:
            first, second, third = args if name == "torch.where" else (args[1], args[0], args[2])
            if minus_infinity(self.scope, third):
                return self.filled(second, "keep", first, third, at)
            return self.filled(third, "drop", first, second, at)
        if name in (".view", ".reshape") and len(args) in (4, 5) and not keywords:
            inner = self.peel(args[0], at)
            sizes = tuple(args[1 : len(args) - 2])
            return replace(inner, ops=(*inner.ops, Fold(sizes, at))) if inner is not None else None
        if name in ("torch.max", "torch.maximum", ".max", ".maximum") and len(args) == 2 and not keywords:
            return self.peel(args[0], at) if minus_infinity(self.scope, args[1]) else None
        if name in ("torch.mul", ".mul", ".mul_") and len(args) == 2:
            return self.scaled(args[0], "*", args[1], at)
        if name in ("torch.div", ".div", ".div_", "torch.true_divide") and len(args) == 2 and not keywords:
            return self.scaled(args[0], "/", args[1], at)
        if name in ("torch.add", ".add", ".add_") and len(args) == 2 and not keywords:
            return self.biased(args[0], "add", args[1], at)
        return None

    def added(self, args: list[ast.expr], keywords: dict[str, ast.expr], at: int) -> Scores | None:
        """`torch.baddbmm(bias, q, kt, beta=..., alpha=...)`."""
        if self.hole or set(keywords) - {"beta", "alpha"}:
            return None
        texts = [wrapped(self.scope, arg) for arg in args[1:]]
        alpha, beta = keywords.get("alpha"), keywords.get("beta")
        ops: list[Op] = []
        if alpha is not None:
            ops.append(Scale("*", alpha, at, is_number(self.scope, alpha)))
        if beta is None or number(beta) == 1:
            ops.append(Mask("add", args[0], at))
        elif number(beta) != 0:
            return None
        return Scores(Product(args[1], args[2], texts[0], texts[1]), at, tuple(ops))

    def filled(
        self,
        scores: ast.expr,
        kind: Literal["drop", "keep"],
        condition: ast.expr | None,
        value: ast.expr | None,
        at: int,
    ) -> Scores | None:
        if condition is None or value is None or not minus_infinity(self.scope, value):
            return None
        inner = self.peel(scores, at)
        if inner is None:
            return None
        if inner.links:
            reads = frozenset(id(item) for item in ast.walk(value) if isinstance(item, ast.Name))
            last = inner.links[-1]
            inner = replace(inner, links=(*inner.links[:-1], replace(last, reads=last.reads | reads)))
        return replace(inner, ops=(*inner.ops, Mask(kind, condition, at)))


def plain_test(test: ast.expr) -> bool:
    """A condition that can be asked again without effect: names, attributes, comparisons, sizes."""
    for node in ast.walk(test):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name not in ("isinstance", "hasattr", "getattr", "size", "dim", "len", "bool"):
                return False
        elif isinstance(node, (ast.Await, ast.Yield, ast.NamedExpr, ast.Lambda)):
            return False
    return True


__all__ = ["Fold", "Link", "Scale", "Scores", "Tracer", "plain_test", "rebinds"]
