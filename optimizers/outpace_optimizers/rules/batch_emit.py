"""Writes the batched form of one `for` loop."""

from __future__ import annotations

import ast

from .attention_assumed import around
from .batch_body import can_map
from .batch_index import Pick
from .batch_loop import Count, Mapped, Walk, picks, walk
from .batch_output import Output, finish, outputs_anywhere, pairs_of
from .flow import changed, live_after, names_in
from .scope import Block, Scope
from .writing import Choice, Edit


def looped(scope: Scope, loop: ast.For) -> Edit | None:
    """The edit, or None where the loop is not one batched computation."""
    place = scope.block_of(loop)
    header = walk(scope, loop.target, loop.iter)
    if place is None or header is None or loop.orelse:
        return None
    outputs, body = outputs_anywhere(loop)
    inline = _index_arithmetic(body, header)
    body = [item for item in body if not (pairs_of(item) and {name for name, _ in pairs_of(item)} <= set(inline))]
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
    through = set[str]().union(*(names_in(value) for value in inline.values()))
    for item in found:
        if ((names_in(item.node) | through) - {header.index or "", *inline}) & fixed:
            return None
        if isinstance(item, Count) and names_in(item.beside) & fixed:
            return None
        named = f"{header.index}_th" if isinstance(item, Count) else f"{word(item.node.value)}_{header.index}"
        wanted = scope.names.fresh(named) if (item.mapped, item.axis) not in mapped.entries else ""
        replaced[item.node] = mapped.add(item.mapped, item.axis, wanted, scope)
    if not mapped.entries or not can_map(scope, body, values, set(mapped.entries.values())):
        return None
    edit = _edit(scope, place, loop, header, outputs, body, mapped, replaced, inline)
    tests = [*header.even, *dict.fromkeys(item.test for item in found if isinstance(item, Pick) and item.test)]
    return edit if edit is not None and where(scope, edit, tests) else None


def _edit(
    scope: Scope, place: tuple[Block, int], loop: ast.For, header: Walk,
    outputs: list[Output], body: list[ast.stmt],
    mapped: Mapped, replaced: dict[ast.expr, str], inline: dict[str, ast.expr],
) -> Edit | None:  # fmt: skip
    edit = Edit()
    finished: list[tuple[str, int]] = []
    for output in outputs:
        made = finish(scope, place, output, header, inline, edit)
        if made is None:
            return None
        finished.append(made)
    vmap, needed = scope.names.spell("torch.vmap")
    edit.imports.extend([needed] if needed else [])
    function = scope.names.fresh(f"one_{header.index or header.direct[0][0]}")
    dims = [dim for _, dim in mapped.entries]
    options = "" if set(dims) == {0} else f", in_dims=({', '.join(map(str, dims))}{',' if len(dims) == 1 else ''})"
    outs = [dim for _, dim in finished]
    if set(outs) != {0}:
        options += f", out_dims={outs[0] if len(outs) == 1 else tuple(outs)}"
    call = called(scope, f"{vmap}({function}{options})", [base for base, _ in mapped.entries])
    lines = _function(scope, loop, function, mapped, outputs, body, replaced)
    if len(finished) == 1:
        tail = [finished[0][0].replace("\0", call)]
    else:
        plain = [text == f"{output.name} = \0" for (text, _), output in zip(finished, outputs, strict=True)]
        pairs = list(zip(plain, outputs, strict=True))
        temps = [item.name if same else scope.names.fresh(f"{item.name}_batch") for same, item in pairs]
        tail = [f"{', '.join(temps)} = {call}"]
        texts = [text.replace("\0", temp) for (text, _), temp in zip(finished, temps, strict=True)]
        tail += [text for text, same in zip(texts, plain, strict=True) if not same]
    edit.replace(scope.source, loop, [lines, *tail])
    return edit


def where(scope: Scope, edit: Edit, tests: list[str]) -> bool:
    """Makes of the edit a branch that is taken where all tests hold; False where that can't be written."""
    if not tests:
        return True
    block, first, last = around(scope, edit.places)
    region = block[first : last + 1]
    if not region or len({node.lineno for node in region}) < len(region):
        return False
    edit.choices[scope.source.start(region[0])] = Choice(" and ".join(tests), scope.source.start(region[-1]))
    return True


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
        left = margin(scope, statement)
        text = substituted(scope, statement, replaced)
        tail = scope.source.lines[(statement.end_lineno or 1) - 1][scope.source.end(statement)[1] :].strip()
        moved = [*comments(scope, statement), *text.split("\n")]
        moved[-1] += f"  {tail}" if tail.startswith("#") else ""
        lines.extend(unit + line.removeprefix(left) for line in moved)
    return "\n".join([*lines, f"{unit}return {results}"])


def margin(scope: Scope, statement: ast.stmt) -> str:
    """What stands before the statement in its line."""
    line, column = scope.source.start(statement)
    return scope.source.lines[line - 1][:column]


def comments(scope: Scope, statement: ast.stmt) -> list[str]:
    """The comment lines right above a statement."""
    line = statement.lineno - 2
    found: list[str] = []
    while line >= 0 and scope.source.lines[line].lstrip().startswith("#"):
        found.insert(0, scope.source.lines[line].strip())
        line -= 1
    return found


def _index_arithmetic(body: list[ast.stmt], header: Walk) -> dict[str, ast.expr]:
    """`start = h * d`, `s, e = i * d, (i + 1) * d`: names for arithmetic on the index, to be read through."""
    found: dict[str, ast.expr] = {}
    arithmetic = (ast.Name, ast.Constant, ast.BinOp, ast.operator, ast.expr_context, ast.Attribute)
    for statement in body:
        pairs = pairs_of(statement)
        plain = all(isinstance(node, arithmetic) for _, value in pairs for node in ast.walk(value))
        index = {header.index or "", *found}
        if pairs and plain and all(names_in(value) & index for _, value in pairs):
            found |= dict(pairs)
    return found


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
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else "slice"


def substituted(scope: Scope, node: ast.expr | ast.stmt, replaced: dict[ast.expr, str]) -> str:
    """The node's text with some of its expressions replaced."""
    lines = scope.source.segment(node).split("\n")
    first, left = scope.source.start(node)
    inside = [item for item in ast.walk(node) if item in replaced]
    for item in sorted(inside, key=lambda item: scope.source.start(item), reverse=True):  # type: ignore[arg-type]
        assert isinstance(item, ast.expr)
        (top, a), (bottom, b) = scope.source.start(item), scope.source.end(item)
        a, b = a - (left if top == first else 0), b - (left if bottom == first else 0)
        lines[top - first : bottom - first + 1] = [lines[top - first][:a] + replaced[item] + lines[bottom - first][b:]]
    return "\n".join(lines)
