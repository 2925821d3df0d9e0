"""What a Python file defines at its top level, read from the syntax tree alone."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
NOT_MODULES = frozenset({"Parameter", "Buffer", "UninitializedParameter", "UninitializedBuffer"})
"""Capitalised names of torch.nn that are tensors."""
NOT_TARGETS = frozenset({"main", "setup", "train", "evaluate", "benchmark"})
"""Functions that by their name drive others; `--target` still takes them."""
TRITON_DECORATORS = frozenset({"triton.jit", "triton.autotune", "triton.heuristics"})


@dataclass(frozen=True, slots=True)
class Definitions:
    """Top-level classes and functions by name, every top-level name, and what imported names stand for."""

    classes: dict[str, ast.ClassDef]
    functions: dict[str, FunctionNode]
    bound: frozenset[str]
    aliases: dict[str, str]

    def dotted(self, node: ast.expr) -> str | None:
        """`nn.Module` as `torch.nn.Module`: a name or attribute chain with its imports resolved."""
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self.dotted(node.value)
            return f"{owner}.{node.attr}" if owner else None
        if isinstance(node, ast.Subscript):
            return self.dotted(node.value)
        return None

    def is_module(self, name: str, seen: frozenset[str] = frozenset()) -> bool | None:
        """True for an nn.Module, False for another class, None where a base comes from elsewhere."""
        bases = [self.dotted(base) for base in self.classes[name].bases]
        answers = [self._base_is_module(base, seen | {name}) for base in bases]
        if True in answers:
            return True
        return None if None in answers else False

    def _base_is_module(self, base: str | None, seen: frozenset[str]) -> bool | None:
        if base is None or base in seen:
            return False
        if base.startswith("torch.nn."):
            last = base.rpartition(".")[2]
            return last[0].isupper() and last not in NOT_MODULES
        if base in self.classes:
            return self.is_module(base, seen)
        if base == "Module":
            return True
        imported = "." in base or base in self.aliases.values()
        return None if imported and base.partition(".")[0] not in sys.stdlib_module_names else False

    def is_triton_kernel(self, name: str) -> bool:
        return any(
            self.dotted(node.func if isinstance(node, ast.Call) else node) in TRITON_DECORATORS
            for node in self.functions[name].decorator_list
        )

    def init_of(self, name: str) -> FunctionNode | None:
        """The `__init__` that the class has or inherits within this file."""
        return self.method_of(name, "__init__")

    def method_of(self, name: str, method: str) -> FunctionNode | None:
        """One that the class has or inherits within this file."""
        seen: set[str] = set()
        queue = [name]
        while queue:
            current = queue.pop(0)
            if current in seen or current not in self.classes:
                continue
            seen.add(current)
            node = self.classes[current]
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name == method:
                    return item
            queue += [base for base in map(self.dotted, node.bases) if base]
        return None

    def foreign_init(self, name: str) -> bool:
        """Whether the constructor is inherited from a class that this file does not show."""
        return self.init_of(name) is None and self._has_foreign_base(name)

    def called_by(self, name: str) -> list[str]:
        """The public methods of a module class that has no `forward`, such as an agent's `act` and `evaluate`; none of
        one that can be called itself."""
        own = any(self.method_of(name, method) is not None for method in ("forward", "__call__"))
        if own or self._has_foreign_base(name) or self._sets_forward(name):
            return []
        methods = (item.name for item in self.classes[name].body if isinstance(item, ast.FunctionDef))
        return [method for method in methods if not method.startswith("_")]

    def _sets_forward(self, name: str) -> bool:
        """`forward = call_impl`, or `self.forward = ...`."""
        nodes = [node for node in ast.walk(self.classes[name]) if isinstance(node, (ast.Name, ast.Attribute))]
        stored = (node for node in nodes if isinstance(node.ctx, ast.Store))
        return any((node.id if isinstance(node, ast.Name) else node.attr) == "forward" for node in stored)

    def _has_foreign_base(self, name: str) -> bool:
        """Whether it inherits from a class that this file does not show, other than nn.Module itself."""
        chain, seen = [name], set[str]()
        while chain:
            current = chain.pop()
            if current in seen:
                continue
            seen.add(current)
            if current in self.classes:
                chain += [base or "?" for base in map(self.dotted, self.classes[current].bases)]
            elif current not in ("torch.nn.Module", "Module", "object"):
                return True
        return False

    def references(self, name: str) -> frozenset[str]:
        """Other top-level definitions that `name` mentions, directly or through functions of the file."""
        found: set[str] = set()
        queue = [name]
        while queue:
            node = self.classes.get(queue[0]) or self.functions.get(queue[0])
            del queue[0]
            for mention in _names_loaded(node) if node else ():
                if mention != name and mention not in found and (mention in self.classes or mention in self.functions):
                    found.add(mention)
                    queue += [mention] if mention in self.functions else []
        return frozenset(found)


def _names_loaded(node: ast.AST) -> Iterator[str]:
    """Names that a definition uses; annotations do not construct anything and are left out."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load):
                yield child.id
            elif isinstance(child, ast.AST):
                yield from _names_loaded(child)


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements at module level, including the branches of if, try and with."""
    for node in body:
        yield node
        if isinstance(node, (ast.If, ast.Try, ast.With)):
            yield from _top_level(node.body)
        if isinstance(node, (ast.If, ast.Try)):
            yield from _top_level(node.orelse)
        if isinstance(node, ast.Try):
            for handler in node.handlers:
                yield from _top_level(handler.body)
            yield from _top_level(node.finalbody)


def _aliases_of(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    if isinstance(node, ast.Import):
        return {item.asname or item.name.partition(".")[0]: _import_path(item) for item in node.names}
    prefix = "." * node.level + (node.module or "")
    return {item.asname or item.name: f"{prefix}.{item.name}" for item in node.names}


def _import_path(item: ast.alias) -> str:
    return item.name if item.asname else item.name.partition(".")[0]


def read_definitions(tree: ast.Module) -> Definitions:
    classes: dict[str, ast.ClassDef] = {}
    functions: dict[str, FunctionNode] = {}
    aliases: dict[str, str] = {}
    bound: set[str] = set()
    for node in _top_level(tree.body):
        if isinstance(node, ast.ClassDef):
            classes[node.name] = node
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            functions[node.name] = node
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            aliases.update(_aliases_of(node))
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            bound.update(target.id for target in targets if isinstance(target, ast.Name))
    return Definitions(classes, functions, frozenset({*bound, *aliases, *classes, *functions}), aliases)


def required_arguments(function: FunctionNode, *, bound: bool = False) -> list[str]:
    """Names of parameters without a default; `bound` drops the first (self)."""
    spec = function.args
    positional = [*spec.posonlyargs, *spec.args]
    required = positional[: len(positional) - len(spec.defaults)]
    keyword = [arg for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if default is None]
    return [arg.arg for arg in [*required[1 if bound else 0 :], *keyword]]


def takes_arguments(function: FunctionNode) -> bool:
    """Whether a method takes anything besides self."""
    spec = function.args
    return len(spec.posonlyargs) + len(spec.args) > 1 or bool(spec.vararg or spec.kwarg or spec.kwonlyargs)
