"""Tensors of one number, and whether all that is done with them goes with tensors on another device."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from .flow import names_in
from .names import local_names, own_nodes, words
from .numbers_known import is_number
from .pure_ops import CASTS, MAKERS, PURE
from .scope import Scope

_MAKERS = frozenset({"torch.tensor", "torch.as_tensor", "torch.scalar_tensor"})
_UNARY = words(
    "abs neg square reciprocal sqrt rsqrt exp exp2 expm1 log log2 log10 log1p sin cos tan tanh sigmoid relu erf erfc "
    "floor ceil round sign logical_not"
)
_OF_ONE = frozenset(f"{where}{name}" for name in _UNARY for where in ("torch.", "."))
_IN_HELPERS = _OF_ONE | frozenset({
    "torch.zeros_like", "torch.ones_like", "torch.where", ".any", ".all", "torch.any", "torch.all", ".clamp",
    "torch.clamp",
})  # fmt: skip
"""What keeps one number one number, and on its device."""
_NO_TENSORS = frozenset({".size", ".dim", ".numel", ".element_size", ".is_floating_point", ".cpu", "torch.numel"})
_ON_DEVICE = (PURE - MAKERS - _NO_TENSORS) | (CASTS - {".cpu"})
"""Calls that return a tensor where they are given one."""


class Hosts:
    """Those of one function. `made`: each call that makes one, and the device that it is made on."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.made: dict[ast.Call, ast.expr] = {}
        for node in own_nodes(scope.function):
            device = self._device(node) if isinstance(node, ast.Call) else None
            if isinstance(node, ast.Call) and device is not None:
                self.made[node] = device

    def _device(self, node: ast.Call) -> ast.expr | None:
        """Where `torch.tensor(number, device=device)` puts it, where that may not be the host."""
        call = self.scope.names.call(node)
        if call is None or call[0] not in _MAKERS or len(call[1]) != 1 or not is_number(self.scope, call[1][0]):
            return None
        device = call[2].get("device")
        fixed = isinstance(device, ast.Constant) or call[2].keys() - {"device", "dtype"}
        return None if fixed else device

    @cached_property
    def derived(self) -> frozenset[str]:
        """Names of what any of them has a part in."""
        found: set[str] = set()
        while True:
            more = {name for name, value in self._bindings() if self._has_part(value, found)}
            if more <= found:
                return frozenset(found)
            found |= more

    def _bindings(self) -> Iterator[tuple[str, ast.expr]]:
        for node in own_nodes(self.scope.function):
            if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and node.value is not None:
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    yield from ((name, node.value) for name in names_in(target))

    def _has_part(self, node: ast.expr, names: set[str]) -> bool:
        return bool(names_in(node) & names) or any(item in self.made for item in ast.walk(node))

    def may_stay(self, node: ast.expr, steps: int = 30) -> bool:
        """Whether the value of `node`, one number on the host, meets tensors in arithmetic alone."""
        parent = self.scope.parents.get(node)
        if steps == 0:
            return False
        if isinstance(parent, ast.BinOp) and not isinstance(parent.op, ast.MatMult):
            return self._meets(parent, parent.right if parent.left is node else parent.left, steps)
        if isinstance(parent, ast.Compare) and len(parent.ops) == 1 and _ordered(parent.ops[0]):
            return self._meets(parent, parent.comparators[0] if parent.left is node else parent.left, steps)
        if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.USub):
            return self.may_stay(parent, steps - 1)
        if isinstance(parent, ast.Attribute):  # the method of a call
            call = self.scope.parents.get(parent)
            return isinstance(call, ast.Call) and call.func is parent and self._goes_through(call, steps)
        if isinstance(parent, ast.Call):
            return self._goes_through(parent, steps)
        return isinstance(parent, ast.Assign) and self._bound(parent, steps)

    def _meets(self, whole: ast.expr, other: ast.expr, steps: int) -> bool:
        if self.is_tensor(other):
            return True
        return is_number(self.scope, other) and self.may_stay(whole, steps - 1)

    def _goes_through(self, node: ast.Call, steps: int) -> bool:
        call = self.scope.names.call(node)
        if call is not None and call[0] == ".item":
            return True
        alone = call is not None and call[0] in _OF_ONE and len(call[1]) == 1 and not call[2]
        return (alone or self._is_closed(node)) and self.may_stay(node, steps - 1)

    def _bound(self, statement: ast.Assign, steps: int) -> bool:
        """To a name that is bound once, in all of whose reads it may stay."""
        target = statement.targets[0]
        if len(statement.targets) != 1 or not isinstance(target, ast.Name):
            return False
        named = [node for node in ast.walk(self.scope.function) if isinstance(node, ast.Name) and node.id == target.id]
        reads = [node for node in named if isinstance(node.ctx, ast.Load)]
        own = {id(node) for node in own_nodes(self.scope.function)}
        return len(named) == len(reads) + 1 and all(
            id(read) in own and self.may_stay(read, steps - 1) for read in reads
        )

    def is_tensor(self, node: ast.expr, seen: frozenset[str] = frozenset()) -> bool:
        """For certain, and one of the device: none of these numbers, nor what is computed of them alone. `seen` are
        names that are taken for one while what else they are bound to is looked at.
        """
        match node:
            case ast.BinOp(left=left, right=right) | ast.Compare(left=left, comparators=[right]):
                return self.is_tensor(left, seen) or self.is_tensor(right, seen)
            case ast.Call():
                call = self.scope.names.call(node)
                if call is None or call[0] not in _ON_DEVICE or not call[1] or _to_host(node):
                    return False
                apart = not self._has_part(node, set(self.derived)) and not is_number(self.scope, call[1][0])
                return apart or any(self.is_tensor(item, seen) for item in call[1])
            case ast.Name(id=name):
                return name in seen or self._is_bound_to_tensors(name, seen | {name})
            case _:
                return False

    def _is_bound_to_tensors(self, name: str, seen: frozenset[str]) -> bool:
        values = [value for bound, value in self._bindings() if bound == name]
        nodes = [item for item in own_nodes(self.scope.function) if isinstance(item, ast.Name) and item.id == name]
        stores = [item for item in nodes if not isinstance(item.ctx, ast.Load)]
        whole = all(isinstance(self.scope.parents.get(item), (ast.Assign, ast.AnnAssign)) for item in stores)
        return (
            bool(values) and whole and len(values) == len(stores) and all(self.is_tensor(one, seen) for one in values)
        )

    def _is_closed(self, node: ast.Call) -> bool:
        """Whether a function of the file computes of its one argument alone, element by element."""
        name = node.func.id if isinstance(node.func, ast.Name) and node.func.id not in self.scope.names.bound else ""
        found = self.scope.source.definitions.get(name)
        if found is None or not isinstance(found.node, ast.FunctionDef):
            return False
        inner, helper = Scope(self.scope.source, found, found.node), found.node
        if helper.decorator_list or len(helper.args.args) != 1 or helper.args.vararg or helper.args.kwonlyargs:
            return False
        return all(_keeps_to_itself(inner, item, local_names(helper)) for item in own_nodes(helper))


def _keeps_to_itself(scope: Scope, node: ast.AST, own: set[str]) -> bool:
    if isinstance(node, ast.Call):
        call = scope.names.call(node)
        return call is not None and call[0] in _IN_HELPERS and "device" not in call[2]
    if isinstance(node, (ast.FunctionDef, ast.Lambda, ast.Global, ast.Nonlocal, ast.For, ast.While, ast.With)):
        return False
    if isinstance(node, ast.BinOp):
        return not isinstance(node.op, ast.MatMult)
    if isinstance(node, ast.Subscript):
        return not isinstance(node.slice, (ast.Slice, ast.Tuple, ast.Constant))
    if isinstance(node, ast.Name) and node.id not in own:
        return scope.names.resolve(node) is not None or node.id in scope.names.table or is_number(scope, node)
    return True


def _to_host(node: ast.Call) -> bool:
    given = [*node.args, *(key.value for key in node.keywords)]
    return any(isinstance(item, ast.Constant) and item.value == "cpu" for item in given)


def _ordered(op: ast.cmpop) -> bool:
    return isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq))
