"""Writes the batched form of one `for` loop."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .attention_ops import integer
from .attention_ops import pick as argument
from .batch_body import can_map
from .batch_index import pick
from .batch_loop import Mapped, Walk, indexable, picks, walk
from .flow import changed, last_change, later_loads, live_after, names_in
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


def looped(scope: Scope, loop: ast.For) -> Edit | None:
    """The edit, or None where the loop is not one batched computation."""
    place = scope.block_of(loop)
    header = walk(scope, loop.target, loop.iter)
    if place is None or header is None or loop.orelse:
        return None
    outputs, body = _outputs(loop)
    inline = _index_arithmetic(body, header)
    body = [item for item in body if not (_pairs(item) and {name for name, _ in _pairs(item)} <= set(inline))]
    if not outputs or not _private(scope, place[0], loop, body, outputs):
        return None
    values = [output.value for output in outputs]
    found = picks(scope, [*body, *values], header, inline)
    mapped = Mapped()
    for name, base, dim in header.direct:
        mapped.entries[base, dim] = name
    if found is None:
        return None
    replaced: dict[ast.expr, str] = {}
    fixed = set[str]().union(*(changed(item) for item in loop.body)) | names_in(loop.target)
    for item in found:
        if (names_in(item.node) - {header.index or "", *inline}) & fixed:
            return None
        wanted = (
            scope.names.fresh(f"{word(item.node.value)}_{header.index}")
            if (item.mapped, item.axis) not in mapped.entries
            else ""
        )
        replaced[item.node] = mapped.add(item.mapped, item.axis, wanted, scope)
    if not mapped.entries or not can_map(scope, body, values, set(mapped.entries.values())):
        return None
    return _edit(scope, place, loop, header, outputs, body, mapped, replaced, inline)


def _edit(
    scope: Scope, place: tuple[Block, int], loop: ast.For, header: Walk,
    outputs: list[Output], body: list[ast.stmt],
    mapped: Mapped, replaced: dict[ast.expr, str], inline: dict[str, ast.expr],
) -> Edit | None:  # fmt: skip
    edit = Edit()
    finished: list[tuple[str, int]] = []
    for output in outputs:
        made = _finish(scope, place, output, header, inline, edit)
        if made is None:
            return None
        finished.append(made)
    vmap, needed = scope.names.spell("torch.vmap")
    edit.imports.extend([needed] if needed else [])
    function = scope.names.fresh(f"one_{header.index or header.direct[0][0]}")
    dims = [dim for _, dim in mapped.entries]
    options = (
        "" if set(dims) == {0} else f", in_dims=({', '.join(map(str, dims))}{',' if len(dims) == 1 else ''})"
    )
    outs = [dim for _, dim in finished]
    if set(outs) != {0}:
        options += f", out_dims={outs[0] if len(outs) == 1 else tuple(outs)}"
    call = called(scope, f"{vmap}({function}{options})", [base for base, _ in mapped.entries])
    lines = _function(scope, loop, function, mapped, outputs, body, replaced)
    if len(finished) == 1:
        tail = [finished[0][0].replace("\0", call)]
    else:
        temps = [scope.names.fresh(f"{output.name}_batch") for output in outputs]
        tail = [f"{', '.join(temps)} = {call}"]
        tail += [text.replace("\0", temp) for (text, _), temp in zip(finished, temps, strict=True)]
    edit.replace(scope.source, loop, [lines, *tail])
    return edit


def called(scope: Scope, function: str, arguments: list[str]) -> str:
    """The call on one line, or with one argument per line where that would be too wide."""
    text = f"{function}({', '.join(arguments)})"
    if len(text) <= 80 or any("\n" in item for item in arguments):
        return text
    return f"{function}(\n" + "".join(f"{scope.source.indent}{item},\n" for item in arguments) + ")"


def _function(
    scope: Scope, loop: ast.For, name: str, mapped: Mapped, outputs: list[Output], body: list[ast.stmt],
    replaced: dict[ast.expr, str],
) -> str:  # fmt: skip
    unit = scope.source.indent
    results = ", ".join(substituted(scope, output.value, replaced) for output in outputs)
    lines = [f"def {name}({', '.join(mapped.entries.values())}):"]
    for statement in body:
        margin = _margin(scope, statement)
        text = substituted(scope, statement, replaced)
        tail = scope.source.lines[(statement.end_lineno or 1) - 1][scope.source.end(statement)[1] :].strip()
        moved = [*_comments(scope, statement), *text.split("\n")]
        moved[-1] += f"  {tail}" if tail.startswith("#") else ""
        lines.extend(unit + line.removeprefix(margin) for line in moved)
    return "\n".join([*lines, f"{unit}return {results}"])


def _margin(scope: Scope, statement: ast.stmt) -> str:
    line, column = scope.source.start(statement)
    return scope.source.lines[line - 1][:column]


def _comments(scope: Scope, statement: ast.stmt) -> list[str]:
    """The comment lines right above a statement."""
    line = statement.lineno - 2
    found: list[str] = []
    while line >= 0 and scope.source.lines[line].lstrip().startswith("#"):
        found.insert(0, scope.source.lines[line].strip())
        line -= 1
    return found


def _outputs(loop: ast.For) -> tuple[list[Output], list[ast.stmt]]:
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


def _output(node: ast.stmt, loop: ast.For) -> Output | None:
    match node:
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value], keywords=[]
            )
        ):
            return Output("append", name, value)
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name)) as target], value=value):
            return Output("store", name, value, target)
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add() | ast.Sub() as op, value=value):
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


def _index_arithmetic(body: list[ast.stmt], header: Walk) -> dict[str, ast.expr]:
    """`start = h * d`, `s, e = i * d, (i + 1) * d`: names for arithmetic on the index, to be read through."""
    found: dict[str, ast.expr] = {}
    arithmetic = (ast.Name, ast.Constant, ast.BinOp, ast.operator, ast.expr_context, ast.Attribute)
    for statement in body:
        pairs = _pairs(statement)
        plain = all(isinstance(node, arithmetic) for _, value in pairs for node in ast.walk(value))
        index = {header.index or "", *found}
        if pairs and plain and all(names_in(value) & index for _, value in pairs):
            found |= dict(pairs)
    return found


def _pairs(statement: ast.stmt) -> list[tuple[str, ast.expr]]:
    """(name, value) of each part of an assignment to names; empty for any other statement."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return [(name, value)]
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(
            values
        ):
            pairs = [
                (item.id, value)
                for item, value in zip(names, values, strict=True)
                if isinstance(item, ast.Name)
            ]
            return pairs if len(pairs) == len(names) else []
        case _:
            return []


def _private(scope: Scope, block: Block, loop: ast.For, body: list[ast.stmt], outputs: list[Output]) -> bool:
    """Whether what the loop binds stays in it, and what it hands out is not read in it."""
    names = {output.name for output in outputs}
    if len(names) != len(outputs):
        return False
    bound = set[str]().union(*(changed(item) for item in loop.body), names_in(loop.target)) - names
    if names & set[str]().union(*(names_in(item) for item in body)):
        return False
    if any(names & names_in(output.value) for output in outputs):
        return False
    index = block.index(loop)
    return not any(live_after(scope, block[index], name) for name in bound)


def word(node: ast.expr) -> str:
    while isinstance(node, (ast.Subscript, ast.Call)):
        node = node.value if isinstance(node, ast.Subscript) else node.func
    return (
        node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else "slice"
    )


def _finish(
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
        if made is None or (made.chunk and made.dim < 0):
            return None
        target = made.base if made.base.endswith("]") else f"{made.base}[:]"
        return f"{target} = \0" + (f".flatten({made.dim}, {made.dim + 1})" if made.chunk else ""), made.dim
    return _collected(scope, place, output, edit)


def _collected(scope: Scope, place: tuple[Block, int], output: Output, edit: Edit) -> tuple[str, int] | None:
    """`outs = []` before, one `torch.stack(outs)` or `torch.cat(outs)` after."""
    block, index = place
    start = last_change(block, index, output.name)
    made = block[start] if start >= 0 else None
    pairs = _pairs(made) if made is not None else []
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
    edit.expression(scope.source, call, output.name + joined[2])
    return f"{output.name} = \0", joined[1]


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
        (args[0], dim, f".flatten({dim}, {dim + 1})")
        if dim >= 0
        else (args[0], dim - 1, f".flatten({dim - 1}, {dim})")
    )


def substituted(scope: Scope, node: ast.expr | ast.stmt, replaced: dict[ast.expr, str]) -> str:
    """The node's text with some of its expressions replaced."""
    lines = scope.source.segment(node).split("\n")
    first, left = scope.source.start(node)
    inside = [item for item in ast.walk(node) if item in replaced]
    for item in sorted(inside, key=lambda item: scope.source.start(item), reverse=True):  # type: ignore[arg-type]
        assert isinstance(item, ast.expr)
        (top, a), (bottom, b) = scope.source.start(item), scope.source.end(item)
        a, b = a - (left if top == first else 0), b - (left if bottom == first else 0)
        lines[top - first : bottom - first + 1] = [
            lines[top - first][:a] + replaced[item] + lines[bottom - first][b:]
        ]
    return "\n".join(lines)
