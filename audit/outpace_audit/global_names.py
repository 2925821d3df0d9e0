"""Which module-level names a statement of a file reads, its inner scopes included. Standard library only."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator


def names_read(statement: ast.stmt) -> set[str]:
    """Names that bodies, defaults, decorators and bases load from the module, without those local to a function."""
    top = symtable.symtable(ast.unparse(statement), "<statement>", "exec")
    read = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    for table in _below(top):
        read |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return read


def _below(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _below(child)
