"""A script without its running part: the definitions that a target needs, the imports and the names that they reach.

For scripts that train when they are imported. Values of module-level names come from the run that was captured, so
that nothing which parses arguments, reads data or starts a training has to run again; a statement is kept as it is
only where the run could not tell the value.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from outpace_audit.global_names import names_read

CAPTURED = "__outpace_captured__"
"""The function that the slice calls for a value of the captured run."""
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)


def slice_of(source: str, roots: Collection[str], captured: Collection[str]) -> ast.Module:
    """The tree of what `roots` reach, at its own lines. `captured`: names whose values are known."""
    tree = ast.parse(source)
    kept = _reached(tree.body, set(roots), captured)
    body = [
        part for index, statement in enumerate(tree.body) if index in kept for part in _replaced(statement, captured)
    ]
    return ast.fix_missing_locations(ast.Module(body, []))


def _reached(body: list[ast.stmt], wanted: set[str], captured: Collection[str]) -> set[int]:
    """Numbers of the statements to keep."""
    bound = [set(bound_names(statement)) for statement in body]
    kept = {i for i, statement in enumerate(body) if _is_always(statement)}
    seen: set[str] = set()
    while fresh := wanted - seen:
        seen |= fresh
        for i, statement in enumerate(body):
            if i in kept or not bound[i] & fresh:
                continue
            kept.add(i)
            if not _is_known(statement, bound[i], captured):
                wanted |= names_read(statement)
    return kept


def _is_always(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.ImportFrom):
        return statement.module == "__future__" or any(alias.name == "*" for alias in statement.names)
    return False


def _is_known(statement: ast.stmt, bound: set[str], captured: Collection[str]) -> bool:
    return not isinstance(statement, (*_DEFINITIONS, *_IMPORTS)) and bound <= set(captured)


def _replaced(statement: ast.stmt, captured: Collection[str]) -> Iterator[ast.stmt]:
    """A statement that binds plain names: assignments of what they were in the captured run."""
    if isinstance(statement, (*_DEFINITIONS, *_IMPORTS)):
        yield statement
        return
    bound = list(dict.fromkeys(bound_names(statement)))
    if not _is_known(statement, set(bound), captured):
        yield statement
    for name in bound:
        if name in captured:
            value = ast.Call(ast.Name(CAPTURED, ast.Load()), [ast.Constant(name)], [])
            yield ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], value), statement)


def bound_names(statement: ast.stmt) -> Iterator[str]:
    """Names that a module-level statement binds, also within its blocks."""
    if isinstance(statement, _DEFINITIONS):
        yield statement.name
        return
    if isinstance(statement, _IMPORTS):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
        return
    for node in _own_scope(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, (*_DEFINITIONS, *_IMPORTS)) and node is not statement:
            yield from bound_names(node)


def _own_scope(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if isinstance(node, (*_DEFINITIONS, ast.Lambda)):
        return
    for child in ast.iter_child_nodes(node):
        yield from _own_scope(child)
