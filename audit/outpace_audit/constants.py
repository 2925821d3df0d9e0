"""Constants of a file's top level that a patch may change."""

from __future__ import annotations

import ast


def whole_number(node: ast.stmt) -> str | None:
    """The name that `NAME = 64` or `NAME: int = 64` gives a whole number to."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=int() as value)):
            pass
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=int() as value)):
            pass
        case _:
            return None
    return name if not isinstance(value, bool) else None
