"""Puts a kernel's call, under its guard, before the code that it stands for: what it does not take runs as before."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence, Set

from outpace_optimizers.source import Source

from .kernel_text import kernel_text
from .scope import Scope
from .writing import Edit

_WIDTH = 80
"""Of an expression on one line."""


def edit_with_kernels(
    source: Source, title: str, *modules: str, dispatcher: bool = False, only: Set[str] = frozenset()
) -> Edit | None:
    """An edit that brings the definitions and imports of kernel modules; None where `kernel_text` has none."""
    edit = Edit()
    for module in modules:
        text = kernel_text(source, module, title, dispatcher, only)
        if text is None:
            return None
        edit.imports += [line for line in text.imports if line not in edit.imports]
        edit.definitions |= text.definitions
    return edit


def guard(edit: Edit, scope: Scope, statements: Sequence[ast.stmt], node: ast.expr, fits: str, call: str) -> None:
    """`call` where `fits` holds, and `statements` as they are otherwise; `node` is the part of the last that `call`
    stands for.
    """
    last = statements[-1]
    if getattr(last, "value", None) is not node:
        rows = (call, f"if {fits}", f"else {scope.text(node)}")
        short = f"({' '.join(rows)})"
        wrapped = "(\n" + "".join(f"{scope.source.indent}{row}\n" for row in rows) + ")"
        edit.expression(scope.source, node, short if len(short) < _WIDTH else wrapped)
    elif isinstance(last, ast.Return):
        edit.before(scope.source, statements[0], [f"if {fits}:\n    return {call}"])
    else:
        assert isinstance(last, (ast.Assign, ast.AnnAssign))
        name = scope.text(last.targets[0] if isinstance(last, ast.Assign) else last.target)
        old = "\n".join(textwrap.dedent(scope.text(statement)) for statement in statements)
        edit.replace(
            scope.source, statements[0], [f"if {fits}:\n    {name} = {call}\nelse:\n" + textwrap.indent(old, "    ")]
        )
        for statement in statements[1:]:
            edit.replace(scope.source, statement, [])
