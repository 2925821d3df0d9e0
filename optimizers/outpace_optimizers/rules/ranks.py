"""How many dimensions a tensor has, where the code says so."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from .names import own_nodes, words
from .parameters import is_vector
from .scope import Scope

_MAKERS = frozenset(f"torch.{name}" for name in words("randn rand zeros ones empty"))
_WITH_VALUES = frozenset(f"torch.{name}" for name in words("randint full normal"))
_SAME = words("to cuda cpu float half bfloat16 double contiguous clone detach requires_grad_ abs relu exp sigmoid tanh")
_PARAMETERS = frozenset({"torch.nn.Parameter", "torch.nn.parameter.Parameter"})


@dataclass(frozen=True)
class Ranks:
    """Of what one function reads; `symbol` is the target, whose inputs the file may declare."""

    scope: Scope
    symbol: str

    def of(self, node: ast.expr) -> int | None:
        """From its construction, an unpacked shape, or the inputs that the file declares."""
        inner = turned(self.scope, node)
        if inner is not None:
            return self.of(inner)
        made = self.scope.attribute(node)
        if made is not None:
            return _made(self.scope.constructor, made) or (1 if is_vector(self.scope, node) else None)
        if not isinstance(node, ast.Name):
            return _made(self.scope, node)
        return self._unpacked(node) or _bound(self.scope, node) or self._declared(node)

    def _unpacked(self, node: ast.Name) -> int | None:
        """`b, n, d = x.shape`, where x is not bound anew between there and here."""
        for item in own_nodes(self.scope.function):
            if not isinstance(item, ast.Assign) or not isinstance(item.targets[0], ast.Tuple):
                continue
            elements, owner = item.targets[0].elts, _shaped(item.value)
            if not isinstance(owner, ast.Name) or owner.id != node.id or _starred(elements):
                continue
            first, last = sorted((item.lineno, _line(self.scope, node)))
            if not any(first < store.lineno < last for store in _stores(self.scope, node.id)):
                return len(elements)
        return None

    def _declared(self, node: ast.Name) -> int | None:
        """A parameter of the target that is not yet bound anew: what `get_inputs` gives for it."""
        inputs, scope = self.scope.source.definitions.get("get_inputs"), self.scope
        entry = scope.definition.qualname in (self.symbol, f"{self.symbol}.forward") and not scope.enclosing
        if inputs is None or not isinstance(inputs.node, ast.FunctionDef) or not entry:
            return None
        if any(store.lineno < _line(scope, node) or _loops(scope) for store in _stores(scope, node.id)):
            return None
        parameters = [arg.arg for arg in [*scope.function.args.posonlyargs, *scope.function.args.args]]
        parameters = parameters[scope.definition.owner is not None :]
        returned = [item.value for item in own_nodes(inputs.node) if isinstance(item, ast.Return)]
        given = returned[0].elts if len(returned) == 1 and isinstance(returned[0], (ast.List, ast.Tuple)) else []
        if node.id not in parameters[: len(given)]:
            return None
        there, value = Scope(scope.source, inputs, inputs.node), given[parameters.index(node.id)]
        return _bound(there, value) if isinstance(value, ast.Name) else _made(there, value)


def turned(scope: Scope, node: ast.expr) -> ast.expr | None:
    """x, where `node` is `x.T`, `x.mT`, `x.t()` or `x.transpose(-2, -1)`."""
    if isinstance(node, ast.Attribute):
        return node.value if node.attr in ("T", "mT") else None
    call = scope.names.call(node)
    if call is None or call[2] or not call[1]:
        return None
    name, (of, *dims), _ = call
    if name in (".t", "torch.t"):
        return of if not dims else None
    swaps = name in (".transpose", "torch.transpose", ".swapaxes")
    return of if swaps and sorted(map(ast.unparse, dims)) == ["-1", "-2"] else None


def _shaped(node: ast.expr) -> ast.expr | None:
    """x of `x.shape` and `x.size()`."""
    match node:
        case ast.Attribute(value=owner, attr="shape") | ast.Call(func=ast.Attribute(value=owner, attr="size"), args=[]):
            return owner
        case _:
            return None


def _line(scope: Scope, node: ast.AST) -> int:
    """Where the statement starts that reads `node`."""
    place = scope.block_of(node)
    return place[0][place[1]].lineno if place is not None else 0


def _loops(scope: Scope) -> bool:
    return any(isinstance(node, (ast.For, ast.While)) for node in own_nodes(scope.function))


def _stores(scope: Scope, name: str) -> list[ast.Name]:
    """Where the function binds the name, its parameters left out."""
    nodes = [node for node in own_nodes(scope.function) if isinstance(node, ast.Name) and node.id == name]
    return [node for node in nodes if not isinstance(node.ctx, ast.Load)]


def _bound(scope: Scope, node: ast.Name) -> int | None:
    """A name that the function binds once, to a new tensor."""
    stores = _stores(scope, node.id)
    statement = scope.parents.get(stores[0]) if len(stores) == 1 else None
    return _made(scope, statement.value) if isinstance(statement, ast.Assign) else None


def _made(scope: Scope, node: ast.expr) -> int | None:
    """`torch.randn(8, width).cuda()`, `nn.Parameter(torch.zeros((n, m)))`."""
    if not isinstance(node, ast.Call):
        return None
    name = scope.names.resolve(node.func) or ""
    if name in _PARAMETERS and node.args:
        return _made(scope, node.args[0])
    if name in _MAKERS:
        return _count(node.args)
    if name in _WITH_VALUES:
        given = [*node.args, *(key.value for key in node.keywords)]
        sizes = [item for item in given if isinstance(item, (ast.Tuple, ast.List))]
        return _count(sizes) if len(sizes) == 1 else None
    if isinstance(node.func, ast.Attribute) and node.func.attr in _SAME:
        return _made(scope, node.func.value)
    return None


def _count(sizes: Sequence[ast.expr]) -> int | None:
    """Of `(8, 16)`, `8, 16` and `8`; a name alone may be a shape."""
    if len(sizes) == 1:
        if isinstance(sizes[0], (ast.Tuple, ast.List)):
            return _count([*sizes[0].elts]) if len(sizes[0].elts) != 1 else 1
        return 1 if isinstance(sizes[0], ast.Constant) else None
    return len(sizes) if sizes and not _starred(sizes) else None


def _starred(items: Sequence[ast.expr]) -> bool:
    return any(isinstance(item, ast.Starred) for item in items)
