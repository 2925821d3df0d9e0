"""A function's text with a call of a helper of the same class or file replaced by what the helper does."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from outpace_audit.records import Code, Patch
from outpace_optimizers.source import Definition

from .names import local_names, own_nodes
from .scope import Scope, scopes
from .writing import Edit, make_patch

_PLAIN = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.If, ast.Assert, ast.Expr)
_REFUSED = (
    ast.Return, ast.Yield, ast.YieldFrom, ast.Await, ast.Lambda, ast.FunctionDef, ast.ClassDef, ast.Global,
    ast.Nonlocal, ast.NamedExpr, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Import, ast.ImportFrom,
)  # fmt: skip
_LAZY = (ast.IfExp, ast.BoolOp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)


@dataclass(frozen=True)
class _Helper:
    statements: list[ast.stmt]
    result: ast.expr
    given: dict[str, ast.expr]
    """What each parameter is at the call."""
    receiver: str | None
    owner: ast.expr
    """What the receiver is at the call: `self`, or `self.cell` where that is a layer of the file."""


def _with_helper(code: Code, scope: Scope, wanted: Callable[[Scope], bool], layers: bool) -> Patch | None:
    """The first call in the function of a helper that is `wanted`, written out in its place."""
    for statement in (node for node in own_nodes(scope.function) if isinstance(node, (ast.Assign, ast.Return))):
        for call in own_nodes(statement):
            definition = _called(scope, call, layers) if isinstance(call, ast.Call) else None
            if not isinstance(call, ast.Call) or definition is None or not _at_once(scope, call, statement):
                continue
            function = definition.node
            if not isinstance(function, ast.FunctionDef) or not wanted(Scope(scope.source, definition, function)):
                continue
            helper = _helper(scope, definition, function, call)
            if helper is not None:
                return _written(code, scope, statement, call, helper)
    return None


def _called(scope: Scope, call: ast.Call, layers: bool) -> Definition | None:
    """The method `self.f` of the same class, which no class of the file inherits, or the function `f` of the file;
    with `layers` also the `forward` of the layer `self.f`."""
    function, owner = call.func, scope.definition.owner
    if isinstance(function, ast.Name):
        made = scope.source.definitions.get(function.id)
        return made if function.id not in scope.names.bound else None
    if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name) or owner is None:
        return None
    classes = [item.node for item in scope.source.definitions.values() if isinstance(item.node, ast.ClassDef)]
    inherited = any(isinstance(base, ast.Name) and base.id == owner.name for node in classes for base in node.bases)
    if function.value.id != scope.self_name or inherited:
        return None
    if function.attr not in scope.attributes:
        return scope.source.definitions.get(f"{owner.name}.{function.attr}")
    layer = scope.own_layer(function) if layers else None
    if layer is None or f"{layer.name}.__call__" in scope.source.definitions:
        return None
    return scope.source.definitions.get(f"{layer.name}.forward")


def _at_once(scope: Scope, call: ast.Call, statement: ast.stmt) -> bool:
    """Whether the statement surely makes the call, before anything in it that could have an effect."""
    node: ast.AST = call
    while node is not statement:
        if isinstance(node, _LAZY):
            return False
        node = scope.parents[node]
    return True


def _helper(scope: Scope, definition: Definition, function: ast.FunctionDef, call: ast.Call) -> _Helper | None:
    body = [item for item in function.body if not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))]
    if function.decorator_list or not body or function is scope.function:
        return None
    last, statements = body[-1], body[:-1]
    if not isinstance(last, ast.Return) or last.value is None:
        return None
    inside = [node for item in [*statements, last.value] for node in ast.walk(item)]
    if any(isinstance(node, _REFUSED) for node in inside) or not all(isinstance(item, _PLAIN) for item in statements):
        return None
    given = _given(function, call, definition.owner is not None)
    if given is None:
        return None
    receiver = function.args.args[0].arg if definition.owner is not None else None
    owner = call.func.value if isinstance(call.func, ast.Attribute) and call.func.attr == function.name else call.func
    free = {node.id for node in inside if isinstance(node, ast.Name)} - local_names(function)
    if free & scope.names.bound or (receiver is not None and _binds(inside, receiver)):
        return None
    return _Helper(statements, last.value, given, receiver, owner)


def _binds(nodes: list[ast.AST], name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load) for node in nodes)


def _given(function: ast.FunctionDef, call: ast.Call, method: bool) -> dict[str, ast.expr] | None:
    args = function.args
    if args.vararg or args.kwarg or args.posonlyargs or any(isinstance(arg, ast.Starred) for arg in call.args):
        return None
    names = [arg.arg for arg in args.args]
    if (method and not names) or len(call.args) > len(names) - method:
        return None
    given = dict(zip(reversed(names), reversed(args.defaults), strict=False))
    given |= {arg.arg: node for arg, node in zip(args.kwonlyargs, args.kw_defaults, strict=True) if node is not None}
    if not all(isinstance(node, ast.Constant) for node in given.values()):
        return None
    given |= dict(zip(names[method:], call.args, strict=False))
    given |= {str(key.arg): key.value for key in call.keywords}
    expected = {*names[method:], *(arg.arg for arg in args.kwonlyargs)}
    return given if set(given) == expected else None


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str | ast.expr]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        new = self.names.get(node.id, node.id)
        return ast.copy_location(ast.Name(new, node.ctx) if isinstance(new, str) else new, node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        said = _decided(node.test)
        return node if said is None else (node.body if said else node.orelse)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        said = _decided(node.test)
        return node if said is None else (node.body if said else node.orelse)


def _decided(test: ast.expr) -> bool | None:
    """What `None is not None` says, which an argument left at None makes of a test."""
    match test:
        case ast.Compare(left=ast.Constant(value=None), ops=[op], comparators=[ast.Constant(value=None)]):
            return isinstance(op, ast.Is) if isinstance(op, (ast.Is, ast.IsNot)) else None
        case _:
            return None


def _written(code: Code, scope: Scope, statement: ast.stmt, call: ast.Call, helper: _Helper) -> Patch | None:
    names, first = _names(scope, helper)
    lines = [f"{name} = {scope.text(node)}" for name, node in first]
    tight = isinstance(helper.result, (ast.Name, ast.Call, ast.Attribute, ast.Subscript, ast.Tuple))
    body = ast.Module(copy.deepcopy(helper.statements), [])
    lines += [ast.unparse(item) for item in _Renamed(names).visit(body).body]
    result = ast.unparse(_Renamed(names).visit(copy.deepcopy(helper.result)))
    edit = Edit()
    edit.expression(scope.source, call, result if tight else f"({result})")
    if lines:
        edit.before(scope.source, statement, lines)
    return make_patch(scope.source, code, scope.definition, edit)


def _names(scope: Scope, helper: _Helper) -> tuple[dict[str, str | ast.expr], list[tuple[str, ast.expr]]]:
    """What the helper's names become, and what is bound before it: arguments that are no names, or are bound anew."""
    nodes = [node for item in [*helper.statements, helper.result] for node in ast.walk(item)]
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    read = {node.id for node in nodes if isinstance(node, ast.Name)}
    names: dict[str, str | ast.expr] = {}
    if helper.receiver:
        names[helper.receiver] = helper.owner
    taken, first = set(scope.names.bound), list[tuple[str, ast.expr]]()
    for name, node in helper.given.items():
        if isinstance(node, (ast.Name, ast.Constant)) and name not in bound:
            names[name] = node.id if isinstance(node, ast.Name) else node
        elif name not in bound and _unpacked_first(helper, name, node):
            names[name] = node
        elif name in read or not isinstance(node, (ast.Name, ast.Constant)):
            names[name] = made = _unused(name, taken)
            first.append((made, node))
    for name in sorted(bound - set(names)):
        names[name] = _unused(name, taken)
    return names, first


def _unpacked_first(helper: _Helper, name: str, given: ast.expr) -> bool:
    """Whether the parameter is given a tuple of names, and is read only where the helper begins: `h, c = state`."""
    if not isinstance(given, ast.Tuple) or not all(isinstance(item, ast.Name) for item in given.elts):
        return False
    nodes = [node for item in [*helper.statements, helper.result] for node in ast.walk(item)]
    reads = [node for node in nodes if isinstance(node, ast.Name) and node.id == name]
    match helper.statements:
        case [ast.Assign(value=ast.Name() as value), *_]:
            return reads == [value]
        case _:
            return False


def _unused(name: str, taken: set[str]) -> str:
    made, count = name, 1
    while made in taken:
        count += 1
        made = f"{name}_{count}"
    taken.add(made)
    return made


def with_helpers(
    code: Code, scope: Scope, wanted: Callable[[Scope], bool], most: int = 4, *, layers: bool = False
) -> Iterator[Code]:
    """The code with one wanted helper more written out in the function each time; `layers`: also `self.cell(x, h)`,
    where that is a layer of the file."""
    current: Scope | None = scope
    for _ in range(most):
        patch = _with_helper(code, current, wanted, layers) if current is not None else None
        if patch is None:
            return
        code = replace(code, source=patch.new_source)
        yield code
        same = [item for item in scopes(code) if item.definition.qualname == scope.definition.qualname]
        current = next((item for item in same if item.function is item.definition.node), None)
