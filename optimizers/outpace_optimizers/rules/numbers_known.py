"""Whether an expression is a plain Python number (a head size, a scale) and not a tensor."""

from __future__ import annotations

import ast

from .flow import number
from .names import own_nodes
from .scope import Scope

_BUILT_IN = frozenset({"int", "float", "len", "min", "max", "abs", "round", "pow"})
_SIZES = frozenset({"size", "dim", "numel", "item", "stride", "ndimension", "nelement", "bit_length"})


def is_number(scope: Scope, node: ast.expr, depth: int = 8) -> bool:
    if depth == 0:
        return False
    if number(node) is not None:
        return True
    match node:
        case ast.BinOp(left=left, right=right):
            return is_number(scope, left, depth - 1) and is_number(scope, right, depth - 1)
        case ast.UnaryOp(operand=operand):
            return is_number(scope, operand, depth - 1)
        case ast.IfExp(body=body, orelse=orelse):
            return is_number(scope, body, depth - 1) and is_number(scope, orelse, depth - 1)
        case ast.Call():
            return _number_call(scope, node)
        case ast.Subscript(value=ast.Attribute(attr="shape"), slice=index):
            return not isinstance(index, ast.Slice)
        case ast.Subscript(value=ast.Call(func=ast.Attribute(attr="size"))):
            return True
        case ast.Attribute():
            made = scope.attribute(node)
            return node.attr in ("ndim", "itemsize") or (made is not None and constructed_number(scope, made))
        case ast.Name():
            return _number_name(scope, node.id, depth)
        case _:
            return False


def _number_call(scope: Scope, node: ast.Call) -> bool:
    if isinstance(node.func, ast.Name) and node.func.id in _BUILT_IN:
        return True
    name = scope.names.resolve(node.func) or ""
    if name.startswith(("math.", "numpy.")):
        return True
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr in _SIZES
        and bool(node.args or node.func.attr != "size")
    )


def constructed_number(scope: Scope, made: ast.expr) -> bool:
    """What `__init__` gave an attribute: anything without a tensor or module in sight is taken for a
    number.
    """
    construction = scope.construction
    for node in ast.walk(made):
        if isinstance(node, ast.Call):
            name = construction.resolve(node.func) or ""
            plain = isinstance(node.func, ast.Name) and node.func.id in (_BUILT_IN | {"getattr"})
            if not plain and not name.startswith(("math.", "numpy.")):
                return False
        if isinstance(node, (ast.List, ast.Tuple, ast.Dict, ast.ListComp, ast.Lambda, ast.Compare)):
            return False
        if isinstance(node, ast.Constant) and not isinstance(node.value, (int, float)):
            return False
    return isinstance(
        made, (ast.BinOp, ast.UnaryOp, ast.Constant, ast.Call, ast.BoolOp, ast.Name, ast.Attribute, ast.IfExp)
    )


def _number_name(scope: Scope, name: str, depth: int) -> bool:
    values: list[bool] = []
    for function in (scope.function, *reversed(scope.enclosing)):
        args = function.args
        for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs]:
            if arg.arg == name:
                return bool(_annotated(arg) or (not values and _default_number(function, name)))
        for node in own_nodes(function):
            values.extend(_binding(scope, node, name, depth))
        if values:
            return all(values)
    for node in scope.source.tree.body:
        values.extend(_binding(scope, node, name, depth))
    return bool(values) and all(values)


def _binding(scope: Scope, node: ast.AST, name: str, depth: int) -> list[bool]:
    """For each time that `node` binds `name`: whether to a number."""
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
        return [is_number(scope, node.value, depth - 1)]
    if isinstance(node, (ast.For, ast.comprehension)) and isinstance(node.target, ast.Name) and node.target.id == name:
        return [
            isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Name) and node.iter.func.id == "range"
        ]
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
        return []
    found: list[bool] = []
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Name) and target.id == name:
            found.append(is_number(scope, node.value, depth - 1))
        elif isinstance(target, (ast.Tuple, ast.List)):
            for index, item in enumerate(target.elts):
                if isinstance(item, ast.Name) and item.id == name:
                    found.append(_unpacked(scope, target, node.value, index, depth))
    return found


def _unpacked(scope: Scope, target: ast.Tuple | ast.List, value: ast.expr, index: int, depth: int) -> bool:
    if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
        return is_number(scope, value.elts[index], depth - 1)
    return is_shape(value)


def is_shape(node: ast.expr) -> bool:
    """`x.shape`, `x.size()`, or a slice of them."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return is_shape(node.value)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr == "size" and not node.args
    return isinstance(node, ast.Attribute) and node.attr == "shape"


def _annotated(arg: ast.arg) -> bool:
    return arg.annotation is not None and ast.unparse(arg.annotation).split("|")[0].strip() in (
        "int",
        "float",
    )


def _default_number(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    args = [*function.args.posonlyargs, *function.args.args]
    pairs = list(zip(reversed(args), reversed(function.args.defaults), strict=False))
    pairs += [(a, d) for a, d in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if d]
    return any(arg.arg == name and number(default) is not None for arg, default in pairs)
