"""causal-conv: a depthwise causal convolution, padded, cut and with SiLU, becomes one Triton kernel."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_audit.records import Code, Idea, NumericsClass

from .causal_layers import is_plain
from .causal_values import Conv, ConvReader, Value
from .flow import live_after, loads, names_in
from .guarded import edit_with_kernels, guard
from .names import own_nodes
from .norm_sites import bound_name
from .scope import Block, Scope, scopes
from .writing import Edit, make_patch

_TITLE = "Depthwise causal convolution in one kernel"
_WIDTH = 100
_LAYOUT = frozenset({"view", "stride", "data_ptr", "as_strided", "is_contiguous"})
"""What tells a transposed result from a dense one."""


@dataclass(frozen=True, eq=False)
class Site:
    """The last of `statements` has `node`, the convolution's result; those before it lead there and do nothing else."""

    statements: tuple[ast.stmt, ...]
    node: ast.expr
    conv: Conv

    @property
    def whole(self) -> bool:
        """Whether the last statement is nothing but the result's assignment or return."""
        return getattr(self.statements[-1], "value", None) is self.node


class CausalConv:
    id = "causal-conv"
    title = _TITLE
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/causal-conv.md"
    needs_triton = True

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            if "causal_conv_fits" in names_in(scope.function) or scope.definition.qualname == "causal_conv_reference":
                continue
            found = [site for block in scope.blocks() for site in _sites(scope, block)]
            idea = self._idea(code, scope, found) if found else None
            if idea is not None:
                yield idea

    def _idea(self, code: Code, scope: Scope, found: list[Site]) -> Idea | None:
        edit = edit_with_kernels(scope.source, _TITLE, "causal_conv")
        if edit is None:
            return None
        for site in found:
            _write(edit, scope, site)
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"depthwise causal convolution in one Triton kernel in {scope.definition.qualname}",
            "rows are read once, channels last as they lie, without padding, cutting or a pass for SiLU",
            self.claimed_class,
            patch,
        )


def _sites(scope: Scope, block: Block) -> Iterator[Site]:
    """From the top, the longest run of statements that ends in a convolution's result; else parts of a statement."""
    begin = 0
    while begin < len(block):
        site = _run(scope, block, begin)
        if site is None:
            yield from _parts(scope, block[begin])
        else:
            yield site
        begin += len(site.statements) if site is not None else 1


def _run(scope: Scope, block: Block, begin: int) -> Site | None:
    reader, known, found = ConvReader(scope), dict[str, Value](), None
    for end in range(begin, len(block)):
        statement, name = block[end], bound_name(block[end])
        node: ast.expr | None = getattr(statement, "value", None)
        value = reader.value(node, known) if name is not None and node is not None else None
        if value is None or node is None or name is None or not _leads(value):
            break
        if isinstance(value, Conv) and not isinstance(node, ast.Name):
            site = Site(tuple(block[begin : end + 1]), node, value)
            found = site if _holds(scope, site, set(known), name) else found
        known[name] = value
    return found


def _leads(value: Value) -> bool:
    return isinstance(value, Conv) or value.swapped or value.padded is not None


def _holds(scope: Scope, site: Site, bound: set[str], name: str) -> bool:
    """Whether no other result is missed, and nothing asks how this one lies in memory."""
    last, rows = site.statements[-1], site.conv.rows.node
    if not site.conv.trimmed or not (is_plain(rows) or ("\n" not in scope.text(rows) and _comes_first(site))):
        return False
    if name and any(live_after(scope, last, other) for other in bound - {name}):
        return False
    reads = [scope.parents.get(read) for read in loads(scope.function, name)] if name and not site.conv.last else []
    return not any(isinstance(read, ast.Attribute) and read.attr in _LAYOUT for read in reads)


def _comes_first(site: Site) -> bool:
    """Whether the rows, which are computed where they stand, are so in the first statement, before anything else."""
    first, rows = site.statements[0], site.conv.rows.node
    calls = [node for node in ast.walk(first) if isinstance(node, ast.Call)]
    inside = set(ast.walk(rows))
    return rows in ast.walk(first) and all(call in inside or rows in ast.walk(call) for call in calls)


def _parts(scope: Scope, statement: ast.stmt) -> Iterator[Site]:
    """The largest expressions of a simple statement that are a convolution's result by themselves."""
    if not isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)):
        return
    reader, inside = ConvReader(scope), set[ast.AST]()
    for node in own_nodes(statement):
        value = reader.value(node, {}) if isinstance(node, ast.expr) and node not in inside else None
        if not isinstance(node, ast.expr) or not isinstance(value, Conv):
            continue
        inside.update(ast.walk(node))
        parent = scope.parents.get(node)
        read = isinstance(parent, ast.Attribute) and parent.attr in _LAYOUT and not value.last
        if value.trimmed and is_plain(value.rows.node) and not read and parent is not statement:
            yield Site((statement,), node, value)


def _write(edit: Edit, scope: Scope, site: Site) -> None:
    node, plain = site.conv.rows.node, is_plain(site.conv.rows.node)
    rows = scope.text(node) if plain else scope.names.fresh("rows")
    fits, call = _guarded(scope, site.conv, rows)
    if plain:
        guard(edit, scope, site.statements, site.node, fits, call)
        return
    first, last = site.statements[0], site.statements[-1]
    texts = [textwrap.dedent(scope.text(statement)) for statement in site.statements]
    old = "\n".join([texts[0].replace(scope.text(node), rows, 1), *texts[1:]])
    made = f"{rows} = {scope.text(node)}"
    if isinstance(last, ast.Return):
        edit.replace(scope.source, first, [made, f"if {fits}:\n    return {call}\n{old}"])
    else:
        other = textwrap.indent(old, "    ")
        edit.replace(scope.source, first, [made, f"if {fits}:\n    {bound_name(last)} = {call}\nelse:\n{other}"])
    for statement in site.statements[1:]:
        edit.replace(scope.source, statement, [])


def _guarded(scope: Scope, conv: Conv, rows: str) -> tuple[str, str]:
    """The test of what the kernel takes, and its call. Where `causal_conv_fits` holds, rows have three dimensions."""
    given = rows if conv.rows.swapped else f"{rows}.mT"
    layer = conv.layer
    parts = [layer.kind] if layer.kind else []
    parts.append(f"causal_conv_fits({given}, {layer.weight}, {layer.bias})")
    parts += [check.replace(scope.text(conv.rows.node), rows) for check in conv.checks]
    fits = " and ".join(parts)
    if len(fits) > _WIDTH:
        fits = "(\n    " + "\n    and ".join(parts) + "\n)"
    arguments = [given, layer.weight, layer.bias, *(["True"] if conv.silu else [])]
    call = f"fused_causal_conv({', '.join(arguments)}){'' if conv.last else '.mT'}"
    return fits, call


RULE = CausalConv()
