"""What an iteration hands out, and the statement that takes it from the batched result."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .attention_ops import integer
from .attention_ops import pick as argument
from .batch_index import pick
from .batch_loop import Walk, indexable
from .flow import changed, last_change, later_loads, names_in, number
from .scope import Block, Scope
from .writing import Edit


@dataclass(frozen=True)
class Output:
    """What an iteration hands out: `value` goes to `name` by append, by a store into a slice, or by
    addition.
    """

    kind: str
    name: str
    value: ast.expr
    target: ast.expr | None = None
    sign: str = "+"


def outputs_of(loop: ast.For) -> tuple[list[Output], list[ast.stmt]]:
    """The trailing statements of the body that hand values out, and the rest."""
    found: list[Output] = []
    body = list(loop.body)
    while body:
        made = _output(body[-1], loop)
        if made is None:
            break
        found.insert(0, made)
        body.pop()
    return found, body


def outputs_anywhere(loop: ast.For) -> tuple[list[Output], list[ast.stmt]]:
    """Those between other statements too, where the value is at the end what it is there."""
    found, body = outputs_of(loop)
    for place in range(len(body) - 1, -1, -1):
        made, later = _output(body[place], loop), body[place + 1 :]
        moved = made is not None and made.kind in ("append", "store")
        in_place = any(isinstance(node, ast.AugAssign) for item in later for node in ast.walk(item))
        if made is None or not moved or in_place or any(names_in(body[place]) & changed(item) for item in later):
            continue
        found.insert(0, made)
        del body[place]
    return found, body


def _output(node: ast.stmt, loop: ast.For) -> Output | None:
    match node:
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value], keywords=[])
        ):
            return Output("append", name, value)
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name)) as target], value=value):
            return Output("store", name, value, target)
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add() | ast.Sub() as op, value=value):
            if number(value) is not None:
                return None  # a counter: no tensor comes of it
            bound = {item for part in loop.body if part is not node for item in changed(part)}
            if name in bound:
                return None
            return Output("add", name, value, None, "+=" if isinstance(op, ast.Add) else "-=")
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.BinOp(left=left, op=ast.Add(), right=right)):
            if isinstance(left, ast.Name) and left.id == name:
                return Output("add", name, right, None, "+")
            if isinstance(right, ast.Name) and right.id == name:
                return Output("add", name, left, None, "+")
            return None
        case _:
            return None


def pairs_of(statement: ast.stmt) -> list[tuple[str, ast.expr]]:
    """(name, value) of each part of an assignment to names; empty for any other statement."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return [(name, value)]
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
            pairs = [(item.id, value) for item, value in zip(names, values, strict=True) if isinstance(item, ast.Name)]
            return pairs if len(pairs) == len(names) else []
        case _:
            return []


def finish(
    scope: Scope,
    place: tuple[Block, int],
    output: Output,
    header: Walk,
    inline: dict[str, ast.expr],
    edit: Edit,
) -> tuple[str, int] | None:
    """(statement with a zero byte for the batched call, out_dim)."""
    if output.kind == "add" and isinstance(output.value, (ast.Tuple, ast.List, ast.ListComp, ast.JoinedStr)):
        return None
    if output.kind == "add":
        if output.sign == "+":
            return f"{output.name} = {output.name} + \0.sum(0)", 0
        return f"{output.name} {output.sign} \0.sum(0)", 0
    if output.kind == "store":
        if not isinstance(output.target, ast.Subscript) or header.index is None or header.over is None:
            return None
        if not indexable(scope, output.target.value):
            return None
        made = pick(scope, output.target, header.index, inline, header.over)
        if made is None or made.repeats or (made.chunk and made.dim < 0):
            return None
        target = made.base if made.base.endswith("]") else f"{made.base}[:]"
        return f"{target} = \0" + (f".flatten({made.dim}, {made.dim + 1})" if made.chunk else ""), made.dim
    return _collected(scope, place, output, edit)


def _collected(scope: Scope, place: tuple[Block, int], output: Output, edit: Edit) -> tuple[str, int] | None:
    """`outs = []` before, one `torch.stack(outs)` or `torch.cat(outs)` after."""
    block, index = place
    start = last_change(block, index, output.name)
    made = block[start] if start >= 0 else None
    pairs = pairs_of(made) if made is not None else []
    empty = any(name == output.name and ast.unparse(value) in ("[]", "list()") for name, value in pairs)
    if isinstance(made, ast.AnnAssign) and isinstance(made.target, ast.Name) and made.value is not None:
        empty = ast.unparse(made.value) in ("[]", "list()")
    reads = later_loads(scope, block, index, output.name)
    if made is None or not empty or reads is None or len(reads) != 1:
        return None
    if any(output.name in names_in(item) for item in block[start + 1 : index]):
        return None
    call = scope.parents.get(reads[0])
    joined = joining(scope, call) if isinstance(call, ast.Call) else None
    if joined is None or not isinstance(call, ast.Call) or joined[0] is not reads[0]:
        return None
    if len(pairs) < 2:
        edit.replace(scope.source, made, [])
    whole = ".contiguous()" if joined[1] and _viewed(scope, call) else ""
    edit.expression(scope.source, call, output.name + joined[2] + whole)
    return f"{output.name} = \0", joined[1]


def _viewed(scope: Scope, call: ast.Call) -> bool:
    """Whether `.view` may be called on what was joined: it asks for the strides that joining gives."""
    later = (node for node in ast.walk(scope.function) if isinstance(node, ast.Attribute))
    return any(node.attr in ("view", "view_as") and (node.end_lineno or 0) >= call.lineno for node in later)


def joining(scope: Scope, call: ast.Call) -> tuple[ast.expr, int, str] | None:
    """(sequence, out_dim, what follows the batched result) of `torch.stack(...)` or `torch.cat(...)`."""
    found = scope.names.call(call)
    if found is None or found[0] not in ("torch.stack", "torch.cat") or not found[1]:
        return None
    name, args, keywords = found
    given = argument(args, keywords, 1, "dim", "axis")
    dim = integer(given) if given is not None else 0
    if dim is None or set(keywords) - {"dim", "axis"}:
        return None
    if name == "torch.stack":
        return args[0], dim, ""
    return (
        (args[0], dim, f".flatten({dim}, {dim + 1})") if dim >= 0 else (args[0], dim - 1, f".flatten({dim - 1}, {dim})")
    )
