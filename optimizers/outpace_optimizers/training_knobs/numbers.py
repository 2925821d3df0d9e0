"""Where a number of a script is written: by the optimizer's call itself, or under a name, a flag's default, a field."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_optimizers.rules.names import dotted
from outpace_optimizers.source import FunctionNode, Source, module_level
from outpace_optimizers.training_rules.scopes import Scope
from outpace_optimizers.training_rules.step_sites import calls_it

_DEEP = 8
"""Names that are followed."""


@dataclass(frozen=True, slots=True)
class Number:
    """`node` is the literal; `name` what the script calls it; `flag` sets it from the command line."""

    node: ast.Constant
    value: float
    name: str
    flag: str = ""


class Numbers:
    """Of one file."""

    def __init__(self, source: Source, every: list[Scope]) -> None:
        self.source, self.every = source, every

    def of(self, node: ast.expr, scope: Scope, name: str, depth: int = 0) -> Number | None:
        """None where it is made of several, or set in more than one place."""
        if isinstance(node, ast.Constant):
            plain = isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
            return Number(node, float(node.value), name) if plain else None  # pyright: ignore[reportArgumentType]
        spelled = dotted(node)
        if spelled is None or depth > _DEEP:
            return None
        if isinstance(node, ast.Attribute):
            return self._attribute(spelled, scope, depth)
        return self._name(spelled, scope, depth)

    def _name(self, name: str, scope: Scope, depth: int) -> Number | None:
        if isinstance(scope.node, FunctionNode) and name in {arg.arg for arg in _parameters(scope.node)}:
            return self._parameter(name, scope, depth)
        if scope.stores(name):
            found = list(_assigned(scope.nodes, name))
            return self.of(found[0], scope, name, depth + 1) if len(found) == len(scope.stores(name)) == 1 else None
        top = self.every[0]
        found = list(_assigned(module_level(self.source.tree.body), name))
        if scope is top or len(found) != 1 or len(top.stores(name)) != 1:
            return None
        return self.of(found[0], top, name, depth + 1)

    def _parameter(self, name: str, scope: Scope, depth: int) -> Number | None:
        """What its only call gives, or else its default."""
        assert isinstance(scope.node, FunctionNode)
        calls = [(one, call) for one in self.every for call in one.calls() if self._calls(call, scope)]
        if scope.stores(name) or len(calls) > 1:
            return None
        for caller, call in calls:
            given = _given(scope.node, call, name)
            if given is not None:
                return self.of(given, caller, name, depth + 1)
        names = [arg.arg for arg in scope.node.args.args]
        defaults = dict(zip(names[::-1], scope.node.args.defaults[::-1], strict=False))
        more = zip(scope.node.args.kwonlyargs, scope.node.args.kw_defaults, strict=True)
        defaults |= {arg.arg: default for arg, default in more if default is not None}
        return self.of(defaults[name], self.every[0], name, depth + 1) if name in defaults else None

    def _calls(self, call: ast.Call, scope: Scope) -> bool:
        """Also a method of a model, whose object may be made anywhere, and the making of an object."""
        name, own = dotted(call.func) or "", getattr(scope.node, "name", "")
        if own == "__init__" and scope.owner is not None:
            return name == scope.owner.name
        unique = sum(getattr(one.node, "name", "") == own for one in self.every) == 1
        return calls_it(self.source, call, scope) or (scope.owner is not None and unique and name.endswith(f".{own}"))

    def _attribute(self, spelled: str, scope: Scope, depth: int) -> Number | None:
        own, name = spelled.rpartition(".")[::2]
        if own == "self" and scope.owner is not None:
            methods = [one for one in self.every if one.owner is scope.owner]
            found = [(one, value) for one in methods for value in _assigned(one.nodes, spelled)]
            if len(found) == 1:
                return self.of(found[0][1], found[0][0], name, depth + 1)
        found = [*self._defaults(name), *((value, "") for value in self._fields(name))]
        if len(found) != 1 or self._set_elsewhere(name):
            return None
        number = self.of(found[0][0], self.every[0], name, depth + 1)
        return number and Number(number.node, number.value, name, found[0][1])

    def _set_elsewhere(self, name: str) -> bool:
        """`args.lr *= world_size`."""
        return any(
            isinstance(node, ast.Attribute) and node.attr == name and not isinstance(node.ctx, ast.Load)
            for node in ast.walk(self.source.tree)
        )

    def _defaults(self, name: str) -> Iterator[tuple[ast.expr, str]]:
        """Of flags of an argument parser."""
        for node in ast.walk(self.source.tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr != "add_argument":
                continue
            flags = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            long = [flag for flag in flags if flag.lstrip("-").replace("-", "_") == name]
            if long:
                yield from ((item.value, long[0]) for item in node.keywords if item.arg == "default")

    def _fields(self, name: str) -> Iterator[ast.expr]:
        """Of classes that hold settings, dataclasses among them."""
        for node in ast.walk(self.source.tree):
            for item in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(item, (ast.Assign, ast.AnnAssign)) and item.value is not None:
                    targets = item.targets if isinstance(item, ast.Assign) else [item.target]
                    yield from (item.value for target in targets if dotted(target) == name)


def _parameters(function: FunctionNode) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _assigned(nodes: Iterator[ast.stmt] | list[ast.AST], name: str) -> Iterator[ast.expr]:
    """Also those of `a, b = 1, 2`."""
    for node in nodes:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
        for target in targets if value is not None else ():
            if dotted(target) == name and value is not None:
                yield value
            elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
                yield from (one for to, one in zip(target.elts, value.elts, strict=True) if dotted(to) == name)


def _given(function: FunctionNode, call: ast.Call, name: str) -> ast.expr | None:
    named = [item.value for item in call.keywords if item.arg == name]
    if named or any(isinstance(arg, ast.Starred) for arg in call.args):
        return named[0] if named else None
    names = [arg.arg for arg in function.args.args]
    if name not in names:
        return None
    place = names.index(name) - (names[0] in ("self", "cls"))
    return call.args[place] if place < len(call.args) else None
