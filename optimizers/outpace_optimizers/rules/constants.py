"""Numbers that a formula is written with: literals, `math.sqrt(2 / math.pi)`, and names that were given one once."""

from __future__ import annotations

import ast
import math
from dataclasses import replace

from outpace_optimizers.source import module_level

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
    given = [value for item in module_level(scope.source.tree.body) for value in _bindings(item, node.id)]
    outside = replace(scope, enclosing=())
    return constant(outside, given[0], depth - 1) if len(given) == 1 and given[0] is not None else None


def _bindings(statement: ast.stmt, name: str) -> list[ast.expr | None]:
    """What a statement gives to the name; None for what is no plain assignment."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
            return [value]
        case ast.AnnAssign(target=ast.Name(id=target), value=value) if target == name:
            return [value]
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [None] if statement.name == name or _declares(statement, name) else []
        case ast.If() | ast.Try() | ast.With():
            return []
        case _:
            stored = [node for node in ast.walk(statement) if isinstance(node, ast.Name) and node.id == name]
            return [None for node in stored if not isinstance(node.ctx, ast.Load)]


def _declares(statement: ast.stmt, name: str) -> bool:
    return any(isinstance(node, ast.Global) and name in node.names for node in ast.walk(statement))
