"""What a change does, in words that hold for other code too: the functions that it begins to call, or calls no more."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from outpace_audit.records import Machine
from outpace_optimizers.model.confined import IMPORTS, aliases_of
from outpace_optimizers.model.lessons import Scope
from outpace_optimizers.records import Target
from outpace_optimizers.source import Source, reached, tree_of

NAMES = 6
"""Of functions, in each half of an approach."""
LOOP = "a loop"
_LOOPS = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def approach_of(before: str, after: str) -> str:
    """`adds bmm; drops a loop, matmul`. Nothing where a change calls what was called before."""
    old, new = (_called_in(tree_of(text)) for text in (before, after))
    adds, drops = sorted(new - old)[:NAMES], sorted(old - new)[:NAMES]
    halves = (f"{word} {', '.join(names)}" for word, names in (("adds", adds), ("drops", drops)) if names)
    return "; ".join(halves)


def scope_of(target: Target, source: Source, machine: Machine) -> Scope:
    """Where what is learnt from trials on `target` holds."""
    body = ast.Module([one.node for one in reached(source, target.name)], [])
    calls = _called(body, aliases_of(source.tree), set(source.definitions))
    where = f"{machine.name}; torch {machine.torch}; triton {machine.triton}"
    return Scope(target.code.kind, tuple(sorted(calls)), where)


def _called_in(tree: ast.Module) -> set[str]:
    own = {
        node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    return _called(tree, aliases_of(tree), own)


def _called(tree: ast.AST, aliases: Mapping[str, str], own: set[str]) -> set[str]:
    """Names of torch's, Triton's and Python's own: those of the project are its business."""
    names = {name for node in ast.walk(tree) for name in _names(node, aliases)}
    return {name for name in names if name not in {one.rpartition(".")[2] for one in own}}


def _names(node: ast.AST, aliases: Mapping[str, str]) -> Iterator[str]:
    if isinstance(node, _LOOPS):
        yield LOOP
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield "matmul"
    elif isinstance(node, ast.Call):
        function = node.func
        root = function
        while isinstance(root, ast.Attribute):
            root = root.value
        known = isinstance(root, ast.Name) and aliases.get(root.id, "torch").partition(".")[0] in IMPORTS
        foreign = isinstance(root, ast.Name) and (root.id == "self" or not known)
        if not foreign and isinstance(function, (ast.Attribute, ast.Name)):
            yield function.attr if isinstance(function, ast.Attribute) else function.id
