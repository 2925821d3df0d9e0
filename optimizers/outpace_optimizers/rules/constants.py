"""Numbers that a formula is written with: literals, `math.sqrt(2 / math.pi)`, and names that were given one once."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from outpace_optimizers.source import Source, module_level

from .flow import number
from .scope import Scope

_ROOT = {"math", "numpy", "torch"}
_NAMED = {"pi": math.pi, "e": math.e}
_OF_ONE = {"sqrt": math.sqrt, "log": math.log, "exp": math.exp, "tanh": math.tanh, "erf": math.erf}
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_DEPTH = 8


def constant(scope: Scope, node: ast.expr | None, depth: int = _DEPTH) -> float | None:
    """The number that `node` always is; None where that is not certain.

    A tensor without dimensions, `torch.tensor(0.5)`, is its number: it decides neither shape nor dtype.
    """
    known = number(node)
    if known is not None or node is None or depth == 0:
        return known
    try:
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = constant(scope, operand, depth - 1)
                return -inner if inner is not None else None
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _OPERATORS):
                return _calculated(op, constant(scope, left, depth - 1), constant(scope, right, depth - 1))
            case ast.Call():
                return _called(scope, node, depth)
            case ast.Name() | ast.Attribute():
                return _named(scope, node, depth)
            case _:
                return None
    except (ArithmeticError, ValueError):
        return None


def _calculated(op: ast.operator, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    return number(ast.BinOp(ast.Constant(left), op, ast.Constant(right)))


def _called(scope: Scope, node: ast.Call, depth: int) -> float | None:
    if isinstance(node.func, ast.Name) and node.func.id == "float" and len(node.args) == 1:
        return constant(scope, node.args[0], depth - 1)
    library, _, function = (scope.names.resolve(node.func) or "").partition(".")
    if library not in _ROOT or len(node.args) != 1 or {key.arg for key in node.keywords} - {"dtype", "device"}:
        return None
    inner = constant(scope, node.args[0], depth - 1)
    if inner is None or function == "tensor":
        return inner
    return _OF_ONE[function](inner) if function in _OF_ONE and not node.keywords else None


def _named(scope: Scope, node: ast.Name | ast.Attribute, depth: int) -> float | None:
    library, _, name = (scope.names.resolve(node) or "").rpartition(".")
    if library in _ROOT:
        return _NAMED.get(name)
    made = scope.attribute(node)
    if made is not None:
        inner = scope.constructor
        return constant(inner, made, depth - 1) if inner is not scope or number(made) is not None else None
    if not isinstance(node, ast.Name) or node.id in scope.names.bound or node.id in scope.names.table:
        return None
    given = _module_constants(scope.source).get(node.id)
    return constant(replace(scope, enclosing=()), given, depth - 1) if given is not None else None


@lru_cache(maxsize=8)
def _module_constants(source: Source) -> dict[str, ast.expr]:
    """What the file's own names were given, of those that are bound once and nowhere declared global."""
    given: dict[str, list[ast.expr | None]] = {}
    for node in ast.walk(source.tree):
        for name in node.names if isinstance(node, ast.Global) else ():
            given.setdefault(name, []).append(None)
    for statement in module_level(source.tree.body):
        for name, value in _bindings(statement):
            given.setdefault(name, []).append(value)
    return {name: value for name, (value, *more) in given.items() if value is not None and not more}


def _bindings(statement: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    """What a statement binds, and to what; None where that is no plain assignment."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=target)], value=value):
            yield target, value
        case ast.AnnAssign(target=ast.Name(id=target), value=value):
            yield target, value
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield statement.name, None
        case ast.If() | ast.Try() | ast.With():
            return
        case _:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                    yield node.id, None
