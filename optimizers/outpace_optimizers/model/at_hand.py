"""Kernels that an idea may call: the dispatchers of `outpace_kernels`, with what they take, in lines for a question.

The package is read, never imported: this process has no torch.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from outpace_audit.records import Machine

PACKAGE = "outpace_kernels"
LOSSY = "fp8_"
"""Begins the names of modules that are less precise on purpose, which an audit refuses."""


def kernels_at_hand(machine: Machine, python: str) -> tuple[str, ...]:
    """None where they would not run, or where it is not known that the code's interpreter has them."""
    same = Path(python).absolute() == Path(sys.executable).absolute()
    if machine.device != "cuda" or not machine.triton or not same or find_spec(PACKAGE) is None:
        return ()
    return all_kernels()


@cache
def all_kernels() -> tuple[str, ...]:
    modules = sorted(files(PACKAGE).iterdir(), key=lambda file: file.name)
    exact = (file.name[:-3] for file in modules if file.name.endswith(".py") and not file.name.startswith(LOSSY))
    return tuple(line for module in exact for line in _lines(module))


def _lines(module: str) -> Iterator[str]:
    """A dispatcher is a function with a `_fits` beside it."""
    tree = ast.parse(files(PACKAGE).joinpath(f"{module}.py").read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name, node in functions.items():
        fits = functions.get(f"{name}_fits")
        if fits is not None:
            returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            called = f"{name}({ast.unparse(node.args)}){returns}".replace("torch.", "")
            yield f"from {PACKAGE}.{module} import {name}: {called}. {_said(node)} {_said(fits)}"


def _said(node: ast.FunctionDef) -> str:
    return " ".join((ast.get_docstring(node) or "").split())
