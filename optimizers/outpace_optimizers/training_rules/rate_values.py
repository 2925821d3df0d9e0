"""What a script's schedule comes to: arithmetic of its own functions, on its constants and defaults."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from outpace_optimizers.rules.names import dotted
from outpace_optimizers.source import FunctionNode, Source, module_level

from .scopes import Scope

_BINARY: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
_CALLS: Mapping[str, Callable[..., Any]] = {
    "min": min, "max": max, "abs": abs, "float": float, "int": int, "round": round, "bool": bool,
    **{f"math.{name}": getattr(math, name) for name in ("cos", "sin", "sqrt", "exp", "log", "pow", "floor", "ceil")},
}  # fmt: skip
_CONSTANTS = {"math.pi": math.pi, "math.e": math.e, "math.inf": math.inf}
_DEEP = 24
"""Names and calls that are followed."""


class Unknown(Exception):  # noqa: N818  # an answer, no fault
    """What can't be reckoned from the text."""


@dataclass(frozen=True, slots=True)
class Rates:
    """`given` are values by how an expression is spelled: those of the loop."""

    source: Source
    given: Mapping[str, float]

    def value(self, node: ast.expr, scope: Scope, local: Mapping[str, Any] | None = None, depth: int = 0) -> Any:
        """Raises Unknown."""
        if depth > _DEEP:
            raise Unknown
        own = local is not None and isinstance(node, ast.Name) and node.id in local
        if not own and (text := ast.unparse(node)) in self.given:
            return self.given[text]

        def at(one: ast.expr) -> Any:
            return self.value(one, scope, local, depth + 1)

        try:
            if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
                return node.value
            if isinstance(node, ast.BinOp):
                return _BINARY[type(node.op)](at(node.left), at(node.right))
            if isinstance(node, ast.UnaryOp):
                return -at(node.operand) if isinstance(node.op, ast.USub) else self._not(node.op, at(node.operand))
            if isinstance(node, ast.Compare) and len(node.ops) == 1:
                return _BINARY[type(node.ops[0])](at(node.left), at(node.comparators[0]))
            if isinstance(node, ast.BoolOp):
                values = [at(one) for one in node.values]
                return all(values) if isinstance(node.op, ast.And) else any(values)
            if isinstance(node, ast.IfExp):
                return at(node.body) if at(node.test) else at(node.orelse)
            if isinstance(node, ast.Call):
                return self._call(node, scope, [at(one) for one in node.args], local, depth)
            if isinstance(node, ast.Subscript) and ast.unparse(node.slice) in ("'initial_lr'", "'lr'"):
                return 1.0
            return self._name(node, scope, local, depth)
        except (KeyError, ArithmeticError, TypeError, ValueError) as error:
            raise Unknown from error

    @staticmethod
    def _not(op: ast.unaryop, value: Any) -> Any:
        if not isinstance(op, ast.Not):
            raise Unknown
        return not value

    def _name(self, node: ast.expr, scope: Scope, local: Mapping[str, Any] | None, depth: int) -> Any:
        name = dotted(node)
        if name is None:
            raise Unknown
        if local is not None and name in local:
            return local[name]
        if (full := scope.names.resolve(node)) in _CONSTANTS:
            return _CONSTANTS[full]
        if "." in name:
            return self._unique(list(_defaults(self.source, name.rpartition(".")[2])), scope, depth)
        own = [] if local is not None else [one.value for one in _sets(scope.nodes, name)]
        return self._unique(
            own or [one.value for one in _sets(module_level(self.source.tree.body), name)], scope, depth
        )

    def _unique(self, nodes: list[ast.expr], scope: Scope, depth: int) -> Any:
        if len(nodes) != 1:
            raise Unknown
        return self.value(nodes[0], scope, None, depth + 1)

    def _call(self, node: ast.Call, scope: Scope, args: list[Any], local: Mapping[str, Any] | None, depth: int) -> Any:
        name = scope.names.resolve(node.func) or dotted(node.func) or ""
        found = self.source.definitions.get(name)
        if found is None:
            if node.keywords:
                raise Unknown
            return _CALLS[name](*args)
        keywords = {item.arg: self.value(item.value, scope, local, depth + 1) for item in node.keywords if item.arg}
        if isinstance(found.node, (ast.ClassDef, ast.AsyncFunctionDef)):
            raise Unknown
        return self.result(found.node, args, keywords, scope, depth)

    def result(
        self,
        function: FunctionNode | ast.Lambda,
        args: list[Any],
        keywords: Mapping[str, Any],
        scope: Scope,
        depth: int = 0,
    ) -> Any:
        """What a function of the script returns. Raises Unknown."""
        names = [arg.arg for arg in function.args.args]
        defaults = dict(zip(names[::-1], function.args.defaults[::-1], strict=False))
        local = {
            name: self.value(node, scope, None, depth + 1) for name, node in defaults.items() if name not in keywords
        }
        local |= {**dict(zip(names, args, strict=False)), **keywords}
        if isinstance(function, ast.Lambda):
            return self.value(function.body, scope, local, depth + 1)
        returned = self._run(function.body, scope, local, depth)
        if returned is None:
            raise Unknown
        return returned

    def _run(self, body: list[ast.stmt], scope: Scope, local: dict[str, Any], depth: int) -> Any:
        for node in body:
            if isinstance(node, ast.Return) and node.value is not None:
                return self.value(node.value, scope, local, depth + 1)
            if isinstance(node, ast.If):
                branch = node.body if self.value(node.test, scope, local, depth + 1) else node.orelse
                if (found := self._run(branch, scope, local, depth + 1)) is not None:
                    return found
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                local[node.targets[0].id] = self.value(node.value, scope, local, depth + 1)
            elif not isinstance(node, (ast.Assert, ast.Expr)):
                raise Unknown
        return None


def _sets(nodes: Iterator[ast.stmt] | list[ast.AST], name: str) -> Iterator[ast.Assign]:
    """Plain ones, and those of `a, b = 1, 2`."""
    for node in nodes:
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id == name:
                yield node
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                for one, value in zip(target.elts, node.value.elts, strict=False):
                    if isinstance(one, ast.Name) and one.id == name:
                        yield ast.Assign([one], value)


def _defaults(source: Source, name: str) -> Iterator[ast.expr]:
    """Of `--name` of an argument parser, or of a field of a class."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            flags = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if any(flag.lstrip("-").replace("-", "_") == name for flag in flags):
                yield from (item.value for item in node.keywords if item.arg == "default")
        if isinstance(node, ast.ClassDef):
            for item in node.body:
                if isinstance(item, ast.AnnAssign) and item.value and dotted(item.target) == name:
                    yield item.value
