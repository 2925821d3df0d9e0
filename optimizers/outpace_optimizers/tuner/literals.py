"""Whole numbers as they stand in a file: where a size is written, directly or under a name that is given it once."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from outpace_audit.constants import whole_number
from outpace_audit.records import Code
from outpace_optimizers.rules.callers import imported_elsewhere
from outpace_optimizers.rules.names import own_nodes
from outpace_optimizers.rules.scope import Scope, scopes
from outpace_optimizers.source import Definition, Source, mentioned, parse, reached


@dataclass(frozen=True, slots=True)
class Place:
    """Characters `start` to `end` of the text, where a knob's value is written as `form` has it. `span`: the
    definition, or the constant, that is changed with it."""

    start: int
    end: int
    span: str
    form: str = "{}"


@dataclass(frozen=True, slots=True)
class Literal:
    """A size that stands in the text. `named`: it is a name's, so that its other uses change with it."""

    value: int
    place: Place
    named: bool


class Literals:
    """Of one target's file."""

    def __init__(self, code: Code) -> None:
        self.source: Source = parse(code.path, code.source)
        self.definitions: list[Definition] = _with_backward(self.source, reached(self.source, code.symbol))
        self.scopes: list[Scope] = [*scopes(code), *_backward_scopes(self.source, self.definitions)]

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        for line in self.source.lines:
            starts.append(starts[-1] + len(line))
        return starts

    def offset(self, position: tuple[int, int]) -> int:
        return self._line_starts[position[0] - 1] + position[1]

    def place(self, node: ast.expr, span: str) -> Place:
        return Place(self.offset(self.source.start(node)), self.offset(self.source.end(node)), span)

    def of(self, scope: Scope, node: ast.expr) -> Literal | None:
        """The whole number that `node` always is, and where it stands."""
        span = scope.definition.qualname
        if (value := _value(node)) is not None:
            return Literal(value, self.place(node, span), named=False)
        if isinstance(node, ast.Name):
            given = self._local(scope, node.id)
            return given if given is not None else self._constant(scope, node.id)
        return None

    def _local(self, scope: Scope, name: str) -> Literal | None:
        """A name of the function, or of one around it, that is bound there once, to a number."""
        for function in (scope.function, *reversed(scope.enclosing)):
            bindings = list(_bindings(function, name))
            if not bindings:
                continue
            value = _value(bindings[0]) if len(bindings) == 1 and bindings[0] is not None else None
            if value is None or _rebound_inside(function, name):
                return None
            assert bindings[0] is not None, "it has a value"
            return Literal(value, self.place(bindings[0], scope.definition.qualname), named=True)
        return None

    def _constant(self, scope: Scope, name: str) -> Literal | None:
        """One of the file's own, which nobody reads but what the target reaches."""
        if name in scope.names.bound or name in scope.names.table or name not in self._constants:
            return None
        value = self._constants[name]
        size = _value(value)
        if size is None or imported_elsewhere(self.source.path, name):
            return None
        return Literal(size, self.place(value, name), named=True)

    @cached_property
    def _constants(self) -> dict[str, ast.expr]:
        """Names of the top level that are given a whole number there, are bound nowhere else, and are read in what the
        target reaches only."""
        inside = {id(node) for one in self.definitions for node in ast.walk(one.node)}
        bound: dict[str, int] = {}
        outside: set[str] = set()
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in inside:
                outside.add(node.id)
            elif isinstance(node, (ast.Global, ast.Nonlocal)):
                outside |= set(node.names)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                outside.add(node.value)  # in `__all__`, or asked for by `getattr`
        for node in own_nodes(self.source.tree):
            for name in _bound_by(node):
                bound[name] = bound.get(name, 0) + 1
        found: dict[str, ast.expr] = {}
        for node in self.source.tree.body:
            name = whole_number(node)
            if name is not None and bound.get(name) == 1 and name not in outside:
                assert isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None, "whole_number says so"
                found[name] = node.value
        return found


def _value(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool) and value > 0:
            return value
        case _:
            return None


def _bindings(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> Iterator[ast.expr | None]:
    """What the function's own body gives the name; None for what is no plain assignment."""
    args = function.args
    if name in {arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg) if arg}:
        yield None
    for node in own_nodes(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                yield value
            case ast.AnnAssign(target=ast.Name(id=target), value=value) if target == name:
                yield value
            case ast.Name(id=target, ctx=ast.Store() | ast.Del()) if target == name and not _plain(function, node):
                yield None
            case ast.FunctionDef() | ast.ClassDef() | ast.ExceptHandler() if node.name == name:
                yield None
            case ast.alias() if (node.asname or node.name).split(".")[0] == name:
                yield None
            case _:
                pass


def _plain(function: ast.AST, name: ast.Name) -> bool:
    """Whether it is the one target of an assignment."""
    return any(
        (isinstance(node, ast.Assign) and node.targets == [name])
        or (isinstance(node, ast.AnnAssign) and node.target is name)
        for node in own_nodes(function)
    )


def _rebound_inside(function: ast.AST, name: str) -> bool:
    """By a nested function."""
    return any(isinstance(node, ast.Nonlocal) and name in node.names for node in ast.walk(function))


def _bound_by(node: ast.AST) -> Sequence[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        return [node.id]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.alias):
        return [(node.asname or node.name).split(".")[0]]
    return []


def _with_backward(source: Source, found: list[Definition]) -> list[Definition]:
    """`backward` of an autograd Function, which nothing in the file names, and what it reaches."""
    names = {one.qualname for one in found}
    for one in found:
        if isinstance(one.node, ast.ClassDef) and any(
            ast.unparse(base).endswith("Function") for base in one.node.bases
        ):
            backward = f"{one.qualname}.backward"
            if backward in source.definitions:
                names.add(backward)
                loaded = mentioned(source.definitions[backward].node)[0]
                names |= {n for n in loaded if n in source.definitions and source.definitions[n].owner is None}
    return [one for name, one in source.definitions.items() if name in names]


def _backward_scopes(source: Source, definitions: Sequence[Definition]) -> Iterator[Scope]:
    for one in definitions:
        if one.owner is not None and one.node.name == "backward" and not isinstance(one.node, ast.ClassDef):
            yield Scope(source, one, one.node)
