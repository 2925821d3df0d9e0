"""Loops over experts that compute nothing but the rows of those who chose each, and add them to the result."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .aliasing import aliases
from .attention_ops import integer, pick
from .expert_layers import listed
from .expert_rows import RowReader
from .expert_values import Expert, Layer, Parts, Place, Places, Rows, Value, Weight, Written
from .flow import changed, live_after, names_in, number
from .mask_sites import Site, compared_sites, mask_sites
from .names import dotted, own_nodes
from .scope import Scope

_DIMS = 2
"""Of what was chosen: tokens, and the choices of each."""
_WIDTH = 110
"""Of a line."""


@dataclass(frozen=True)
class ExpertLoop:
    """`lines`: what stands for the loop once the name of `written` holds the pairs."""

    site: Site
    written: Written
    lines: tuple[str, ...]


def expert_loops(scope: Scope) -> Iterator[ExpertLoop]:
    for site in (*mask_sites(scope), *compared_sites(scope)):
        loop = _Loop(scope, site).read()
        if loop is not None:
            yield loop


class _Loop:
    def __init__(self, scope: Scope, site: Site) -> None:
        self.scope = scope
        self.site = site
        self.changed = changed(site.loop)
        self.written = Written(scope.source, scope.names.fresh("pairs"))
        self.lines: list[str] = []
        self.results: list[str] = []
        """Names of what rows are added to."""
        self.read_from: set[str] = set()
        asked = frozenset(id(node) for node, text in site.texts if text == "{each}")
        self.reader = RowReader(scope, self.written, self._header(), self.changed, asked)

    def _header(self) -> dict[str, Value]:
        target = self.site.loop.target
        if isinstance(target, ast.Name):
            return {target.id: Expert()}
        assert isinstance(target, ast.Tuple)
        assert isinstance(self.site.loop.iter, ast.Call)
        index, one = target.elts
        known: dict[str, Value] = {index.id: Expert()} if isinstance(index, ast.Name) else {}
        layer = listed(self.scope, self.site.loop.iter.args[0])
        if layer is not None and isinstance(one, ast.Name):
            known[one.id] = layer
        return known

    def read(self) -> ExpertLoop | None:
        loop = self.site.loop
        if not _from_none(self.scope, loop) or "\t" in self.scope.text(loop) or '"""' in self.scope.text(loop):
            return None
        if not self._block([item for item in loop.body if item not in self.site.gone]):
            return None
        bound = {item.id for item in own_nodes(loop) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)}
        if any(live_after(self.scope, loop, name) for name in bound - set(self.results)):
            return None
        if not self.results or not self.written.products or aliases(self.scope, set(self.results)) & self.read_from:
            return None
        return ExpertLoop(self.site, self.written, tuple(self._needed()))

    def _needed(self) -> list[str]:
        """The lines, without the casts of rows that nobody reads after them."""
        kept: list[str] = []
        for line in reversed(self.lines):
            name = line.partition(" = ")[0]
            read = names_in(ast.parse("\n".join(kept))) if name in self.written.spared else {name}
            kept = [line, *kept] if name in read else kept
        return kept

    def _block(self, block: Sequence[ast.stmt]) -> bool:
        return all(self._statement(statement) for statement in block)

    def _comments(self, statement: ast.stmt) -> list[str]:
        """The lines of comment above it."""
        lines, at = self.scope.source.lines, statement.lineno - 2
        while lines[at].lstrip().startswith("#"):
            at -= 1
        return [line.strip() for line in lines[at + 1 : statement.lineno - 1]]

    def _statement(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.If(test=test, body=[ast.Continue()], orelse=[]):
                return self._is_empty(test, True)
            case ast.If(test=test, body=body, orelse=[]):
                return self._is_empty(test, False) and self._block(body)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                return self._bind(statement, name, value)
            case ast.Assign(targets=[ast.Tuple(elts=elements)], value=value):
                return self._unpack(statement, elements, value)
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name)) as target], value=value):
                return self._put(target, name, value, False)
            case ast.AugAssign(target=ast.Subscript(value=ast.Name(id=name)) as target, op=ast.Add(), value=value):
                return self._put(target, name, value, True)
            case ast.Expr(value=ast.Call() as call):
                return self._added(call)
            case ast.Pass():
                return True
            case _:
                return False

    def _is_empty(self, test: ast.expr, empty: bool) -> bool:
        """Whether the test says that nobody chose the expert, or that somebody did."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return self._is_empty(inner, not empty)
            case ast.Compare(left=left, ops=[op], comparators=[other]):
                zero, one = number(other) == 0, number(other) == 1
                none = (isinstance(op, (ast.Eq, ast.LtE)) and zero) or (isinstance(op, ast.Lt) and one)
                some = (isinstance(op, (ast.Gt, ast.NotEq)) and zero) or (isinstance(op, ast.GtE) and one)
                past = isinstance(op, ast.Eq) and self.scope.text(other) == self.site.count
                if past and empty and isinstance(self.reader.value(left), Expert):
                    return True
                return (none if empty else some) and self._counts(left)
            case _:
                return not empty and self._counts(test)

    def _counts(self, node: ast.expr) -> bool:
        """`token.numel()`, `token.shape[0]`, `len(token)`, `mask.any()`, `mask.sum()`."""
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[inner], keywords=[]):
                return isinstance(self.reader.value(inner), (Place, Rows))
            case ast.Subscript(value=ast.Attribute(value=inner, attr="shape"), slice=index) if integer(index) == 0:
                return isinstance(self.reader.value(inner), (Place, Rows))
            case ast.Call(func=ast.Attribute(value=inner, attr=name), args=args, keywords=[]):
                value = self.reader.value(inner)
                first = not args or (name == "size" and integer(args[0]) == 0)
                if isinstance(value, Places):
                    return name in ("any", "sum") and not args
                return name in ("numel", "nelement", "size") and first and isinstance(value, (Place, Rows))
            case _:
                return False

    def _bind(self, statement: ast.Assign, name: str, node: ast.expr) -> bool:
        value = self.reader.value(node)
        self._note(node)
        if value is None or isinstance(value, Parts):
            return False
        self._hold(name, value)
        if not isinstance(value, (Weight, Layer, Expert)):
            self._line(statement)
        return True

    def _hold(self, name: str, value: Value) -> None:
        """Binds the name; what is written as read of it by that name no longer can be."""
        self.reader.known[name] = value
        for other, held in self.reader.known.items():
            if isinstance(held, Rows) and held.narrow is not None and name in names_in(ast.parse(held.narrow)):
                self.reader.known[other] = Rows()

    def _unpack(self, statement: ast.Assign, elements: Sequence[ast.expr], node: ast.expr) -> bool:
        self._note(node)
        names = [item.id for item in elements if isinstance(item, ast.Name)]
        if isinstance(node, ast.Tuple) and len(node.elts) == len(names) == len(elements):
            return self._bind_each(statement, names, node.elts)
        value = self.reader.value(node)
        if len(names) != len(elements) or not isinstance(value, (Places, Parts)):
            return False
        if isinstance(value, Places) and len(names) > _DIMS:
            return False
        for dim, name in enumerate(names):
            self._hold(name, Rows() if isinstance(value, Parts) else Place(dim, alone=len(names) == 1))
        self._line(statement)
        return True

    def _bind_each(self, statement: ast.Assign, names: Sequence[str], nodes: Sequence[ast.expr]) -> bool:
        """`gate, up = x[:, :n], x[:, n:]`, `w1, w2 = up[e], down[e]`."""
        values = [self.reader.value(node) for node in nodes]
        rows = all(isinstance(value, Rows) for value in values)
        if not rows and not all(isinstance(value, (Weight, Layer)) for value in values):
            return False
        for name, value in zip(names, values, strict=True):
            self._hold(name, value if value is not None else Rows())
        if rows:
            self._line(statement)
        return True

    def _line(self, statement: ast.stmt) -> None:
        text = self.written.text(statement)
        self._emit(textwrap.dedent(" " * statement.col_offset + text), statement)

    def _emit(self, text: str, statement: ast.stmt) -> None:
        rest = self.scope.source.lines[(statement.end_lineno or 1) - 1][self.scope.source.end(statement)[1] :].strip()
        self.lines += [
            *self._comments(statement),
            *self.written.before,
            f"{text}  {rest}" if rest.startswith("#") else text,
        ]
        self.written.before.clear()

    def _note(self, node: ast.expr) -> None:
        """Takes down what the value is computed from; a dtype is no part of it."""
        asked = {item.value for item in ast.walk(node) if isinstance(item, ast.Attribute) and item.attr == "dtype"}
        self.read_from |= {item.id for item in ast.walk(node) if isinstance(item, ast.Name) and item not in asked}

    def _source(self, node: ast.expr) -> str | None:
        value = self.reader.value(node)
        self._note(node)
        return self.written.text(node) if isinstance(value, Rows) and not value.lead else None

    def _put(self, target: ast.Subscript, name: str, node: ast.expr, adds: bool) -> bool:
        """`out[token] += rows` adds, `out[mask] = rows` puts: each row has a place of its own there."""
        index = self.reader.value(target.slice)
        text = self._source(node)
        statement = self.scope.parents[target]
        assert isinstance(statement, ast.stmt)
        if text is None or not self._result(name):
            return False
        if isinstance(index, Place) and adds and (index.alone or self._distinct()):
            return self._add(name, text, index, statement)
        if not isinstance(index, Places) and not (isinstance(index, Place) and index.alone):
            return False
        where = self.written.text(target.slice)
        where = where if isinstance(index, Places) else f"({where},)"
        text = f"{name}[{where}] + {text}" if adds else text
        self._emit(f"{self.written.pairs}.put({name}, {where}, {text})", statement)
        return True

    def _result(self, name: str) -> bool:
        """Whether it is a tensor from before the loop that is not bound in it."""
        stored = any(
            isinstance(item, ast.Name) and item.id == name and not isinstance(item.ctx, ast.Load)
            for item in own_nodes(self.site.loop)
        )
        self.results.append(name)
        return not stored

    def _distinct(self) -> bool:
        """Whether a token's choices are distinct: `topk` chose them, or a layer that routes."""
        name = self.site.values.partition(".")[0]
        for node in own_nodes(self.scope.function):
            if isinstance(node, ast.Assign) and name in names_in(ast.Tuple(node.targets)):
                call = self.scope.names.call(node.value)
                last = call[0].rpartition(".")[2] if call is not None else ""
                routed = isinstance(node.value, ast.Call) and self.scope.attribute(node.value.func) is not None
                return (last == "topk" or routed) and isinstance(node.targets[0], ast.Tuple)
        return False

    def _added(self, node: ast.Call) -> bool:
        """`out.index_add_(0, token, rows)`."""
        call = self.scope.names.call(node)
        if call is None or call[0] != ".index_add_" or len(call[1]) + len(call[2]) != 4:
            return False
        if not isinstance(call[1][0], ast.Name):
            return False
        name, args = call[1][0].id, call[1]
        dim, index, source = (pick(args, call[2], at, word) for at, word in enumerate(("dim", "index", "source"), 1))
        if index is None or source is None or integer(dim) != 0 or not self._result(name):
            return False
        place, text = self.reader.value(index), self._source(source)
        if not isinstance(place, Place) or text is None:
            return False
        statement = self.scope.parents[node]
        assert isinstance(statement, ast.stmt)
        return self._add(name, text, place, statement)

    def _add(self, name: str, text: str, place: Place, statement: ast.stmt) -> bool:
        if len(text) + len(name) > _WIDTH - 30:
            added = self.scope.names.fresh("added")
            self.written.before.append(f"{added} = {text}")
            text = added
        self._emit(f"{self.written.pairs}.add({name}, {text}, {place.dim})", statement)
        return True


def _from_none(scope: Scope, loop: ast.For) -> bool:
    """Whether the loop starts with the first expert."""
    match loop.iter:
        case ast.Call(func=ast.Name(id="range"), args=[start, _]):
            return integer(start) == 0
        case ast.Call(func=ast.Name(id="enumerate"), args=[layers]):
            return dotted(layers) is not None
        case _:
            return True


__all__ = ["ExpertLoop", "expert_loops"]
