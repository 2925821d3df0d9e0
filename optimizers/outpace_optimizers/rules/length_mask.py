"""length-mask: a loop that fills each row of a mask up to its length, or from there on, becomes one comparison."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_audit.records import Code, Idea, NumericsClass, Patch

from .batch_loop import is_tensor
from .flow import live_after
from .names import own_nodes
from .scope import Scope, scopes
from .writing import Edit, make_patch


@dataclass(frozen=True, slots=True)
class Filled:
    """`mask[row, length:] = value`, or `:length` where it is not `beyond`; `lengths` has one for each row."""

    mask: str
    lengths: str
    beyond: bool
    value: str


class LengthMask:
    id = "length-mask"
    title = "Compare positions with lengths once"
    claimed_class: NumericsClass = "exact"
    page = "docs/rules/length-mask.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            for node in own_nodes(scope.function):
                patch = _compared(code, scope, node) if isinstance(node, ast.For) else None
                if patch is not None:
                    yield Idea(
                        self.id,
                        f"compare positions with lengths in {scope.definition.qualname}",
                        "one comparison for all rows: each was a launch, and its length a wait for the device",
                        self.claimed_class,
                        patch,
                    )


def _compared(code: Code, scope: Scope, loop: ast.For) -> Patch | None:
    found = _filled(scope, loop)
    if found is None or scope.names.table.get("torch") != "torch" or "torch" in scope.names.bound:
        return None
    if any(live_after(scope, loop, node.id) for node in ast.walk(loop.target) if isinstance(node, ast.Name)):
        return None
    ends, there = scope.names.fresh("ends"), scope.names.fresh("filled")
    size = f"{found.mask}.shape[1]"
    lines = [
        f"{ends} = torch.as_tensor({found.lengths}, device={found.mask}.device)",
        f"{ends} = torch.where({ends} < 0, {ends} + {size}, {ends}).unsqueeze(1)",
        f"{there} = torch.arange({size}, device={found.mask}.device) {'>=' if found.beyond else '<'} {ends}",
        f"{there} = {there}.view(*{there}.shape, *[1] * ({found.mask}.dim() - 2))",
        f"{found.mask}[:len({there})].masked_fill_({there}, {found.value})",
    ]
    edit = Edit()
    edit.replace(scope.source, loop, lines)
    return make_patch(scope.source, code, scope.definition, edit)


def _filled(scope: Scope, loop: ast.For) -> Filled | None:
    match loop:
        case ast.For(
            body=[
                ast.Assign(
                    targets=[
                        ast.Subscript(
                            value=ast.Name(id=mask),
                            slice=ast.Tuple(elts=[ast.Name(id=row), ast.Slice(step=None) as span, *others]),
                        ) as target
                    ],
                    value=ast.Constant(value=bool() | int()) as value,
                )
            ],
            orelse=[],
        ) if all(ast.unparse(item) in (":", "...") for item in others) and is_tensor(scope, target.value):
            pass
        case _:
            return None
    end = span.lower if span.upper is None else span.upper if span.lower is None else None
    lengths = _lengths(scope, loop, row, end) if end is not None else None
    if lengths is None or mask in lengths.split("["):
        return None
    return Filled(mask, lengths, span.upper is None, scope.text(value))


def _lengths(scope: Scope, loop: ast.For, row: str, end: ast.expr) -> str | None:
    """The lengths of all rows of `for row, end in enumerate(lengths)`, and where `end` is `lengths[row]`."""
    match loop.target, loop.iter, end:
        case (
            ast.Tuple(elts=[ast.Name(id=index), ast.Name(id=name)]),
            ast.Call(func=ast.Name(id="enumerate"), args=[ast.Name() as lengths], keywords=[]),
            ast.Name(id=used),
        ) if index == row and name == used and name != row:
            return scope.text(lengths)
        case (
            ast.Name(id=index),
            ast.Call(func=ast.Name(id="range"), args=[stop], keywords=[]),
            ast.Subscript(value=ast.Name() as lengths, slice=ast.Name(id=used)),
        ) if index == row == used:
            whole = ast.unparse(stop) in (f"len({lengths.id})", f"{lengths.id}.shape[0]", f"{lengths.id}.size(0)")
            return scope.text(lengths) if whole else f"{lengths.id}[:{scope.text(stop)}]"
        case _:
            return None


RULE = LengthMask()
