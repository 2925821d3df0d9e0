"""Loops over all pairs of a tensor's slices, as one loop over the pairs: what `loop-to-batch` reads.

for i in range(n):                              first, second = torch.triu_indices(n, n, 1, device=x.device)
    for j in range(i + 1, n):                   x_first, x_second = x[:, first], x[:, second]
        out.append(f(x[:, i], x[:, j]))         for pair in range(len(first)):
                                                    out.append(f(x_first[:, pair], x_second[:, pair]))
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from outpace_audit.records import Code

from .batch_emit import margin, substituted
from .batch_loop import indexable
from .flow import changed, names_in
from .scope import Scope
from .writing import Edit, make_patch


@dataclass(frozen=True, eq=False)
class Pairs:
    """`for first in range(stop): for second in range(first + offset, stop): body`."""

    first: str
    second: str
    stop: ast.expr
    offset: int
    body: list[ast.stmt]


@dataclass
class _Slices:
    """The tensors of which a slice is read for one of the pair: name of the new one, by its text."""

    made: dict[str, str] = field(default_factory=dict[str, str])
    device: str = ""


def with_pairs(code: Code, scope: Scope, loop: ast.For) -> tuple[str, str] | None:
    """(text with one loop over pairs, the name that this loop counts with)."""
    pairs = pairs_of_loop(scope, loop)
    if pairs is None or scope.names.table.get("torch") != "torch" or "torch" in scope.names.bound:
        return None
    if names_in(pairs.stop) & changed(loop) or any(isinstance(node, ast.For) for node in _within(pairs.body)):
        return None
    edit, slices = Edit(), _Slices()
    indices = {pairs.first: scope.names.fresh("first"), pairs.second: scope.names.fresh("second")}
    count = scope.names.fresh("pair")
    replaced: dict[ast.expr, str] = {}
    for node in _within(pairs.body):
        if isinstance(node, ast.Subscript) and names_in(node.slice) & set(indices):
            text = _slice(scope, node, indices, count, slices, loop)
            if text is None:
                return None
            replaced[node] = text
    covered = {item for node in replaced for item in ast.walk(node)}
    if not replaced or any(
        isinstance(node, ast.Name) and node.id in indices and node not in covered for node in _within(pairs.body)
    ):
        return None
    stop, names = scope.text(pairs.stop), ", ".join(indices.values())
    made = f"torch.triu_indices({stop}, {stop}, {pairs.offset}, device={slices.device}.device)"
    before = [f"{names} = {made}", *(f"{name} = {text}" for text, name in slices.made.items())]
    body = "\n".join(_lines(scope, item, replaced) for item in pairs.body)
    edit.replace(scope.source, loop, [*before, f"for {count} in range(len({indices[pairs.first]})):\n{body}"])
    patch = make_patch(scope.source, code, scope.definition, edit)
    return (patch.new_source, count) if patch is not None else None


def pairs_of_loop(scope: Scope, loop: ast.For) -> Pairs | None:
    """Of two loops, or of `itertools.combinations(range(n), 2)`."""
    match loop:
        case ast.For(
            target=ast.Name(id=first),
            iter=ast.Call(func=ast.Name(id="range"), args=[stop], keywords=[]),
            body=[
                ast.For(
                    target=ast.Name(id=second),
                    iter=ast.Call(func=ast.Name(id="range"), args=[start, last], keywords=[]),
                    orelse=[],
                ) as inner
            ],
            orelse=[],
        ) if ast.unparse(stop) == ast.unparse(last) and ast.unparse(start) in (first, f"{first} + 1"):
            return Pairs(first, second, stop, int(ast.unparse(start) != first), inner.body)
        case ast.For(
            target=ast.Tuple(elts=[ast.Name(id=first), ast.Name(id=second)]),
            iter=ast.Call(
                args=[
                    ast.Call(func=ast.Name(id="range"), args=[stop], keywords=[]),
                    ast.Constant(value=2),
                ],
                keywords=[],
            ) as made,
            orelse=[],
        ) if scope.names.resolve(made.func) == "itertools.combinations":
            return Pairs(first, second, stop, 1, loop.body)
        case _:
            return None


def _within(body: list[ast.stmt]) -> list[ast.AST]:
    return [node for statement in body for node in ast.walk(statement)]


def _slice(
    scope: Scope, node: ast.Subscript, indices: dict[str, str], count: str, slices: _Slices, loop: ast.For
) -> str | None:
    """The slice for one of the pair as that of a tensor that has it for all pairs."""
    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    texts = [ast.unparse(item) for item in items]
    hits = [text for text in texts if text in indices]
    if (
        len(hits) != 1
        or any(text not in (*indices, ":", "...") for text in texts)
        or not isinstance(node.ctx, ast.Load)
    ):
        return None
    if not isinstance(node.value, (ast.Name, ast.Attribute)) or not indexable(scope, node.value):
        return None
    if names_in(node.value) & changed(loop) - {scope.self_name}:
        return None
    base, name = scope.text(node.value), indices[hits[0]]
    slices.device = slices.device or base
    whole = f"{base}[{', '.join(name if text in indices else text for text in texts)}]"
    if whole not in slices.made:
        slices.made[whole] = scope.names.fresh(f"{base.rpartition('.')[2]}_{name}")
    return f"{slices.made[whole]}[{', '.join(count if text in indices else text for text in texts)}]"


def _lines(scope: Scope, statement: ast.stmt, replaced: dict[ast.expr, str]) -> str:
    left = margin(scope, statement)
    lines = substituted(scope, statement, replaced).split("\n")
    return "\n".join(scope.source.indent + line.removeprefix(left) for line in lines)
