"""Two threads may import any two of our modules at once, as those of the language server do.

Python holds a module's lock while the module's body runs, and a submodule's while its package is imported before it.
Where two threads wait for each other's, one of them gets a module that is half there: an `ImportError` for something
that exists. That cannot happen where no lock leads back to itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("audit/outpace_audit", "kernels/outpace_kernels", "optimizers/outpace_optimizers", "server/outpace_server")


def _modules() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for package in PACKAGES:
        folder = ROOT / package
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _while_imported(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Not what stands in a function: it is imported when that is called."""
    for statement in body:
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            continue
        yield statement
        for inner in ("body", "orelse", "finalbody"):
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _while_imported(getattr(statement, inner, []))


def _imports(tree: ast.Module) -> Iterator[str]:
    for statement in _while_imported(tree.body):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            yield statement.module
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)


def _locks(modules: dict[str, str]) -> dict[str, set[str]]:
    """For each module, whose locks are waited for while its own is held."""
    return {
        name: ({one for one in _imports(ast.parse(text)) if one in modules} | ({name.rpartition(".")[0]} & {*modules}))
        - {name}
        for name, text in modules.items()
    }


def _cycle(modules: dict[str, str]) -> list[str]:
    try:
        TopologicalSorter(_locks(modules)).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_two_modules_wait_for_each_other() -> None:
    modules = {name: path.read_text(encoding="utf-8") for name, path in _modules().items()}
    assert len(modules) > 400
    assert _cycle(modules) == []


@pytest.mark.parametrize(
    "modules",
    [
        {"a": "from a.b import f", "a.b": "import ast"},
        {"a": "import b", "b": "try:\n    import a\nexcept ImportError:\n    pass"},
        {"a": "", "a.b": "from a import c", "a.c": "class C:\n    from a.b import f"},
    ],
)
def test_a_cycle_is_seen(modules: dict[str, str]) -> None:
    assert _cycle(modules)


@pytest.mark.parametrize(
    "modules",
    [
        {"a": "def f():\n    from a.b import g", "a.b": "import ast"},
        {"a": "if TYPE_CHECKING:\n    import b", "b": "import a"},
    ],
)
def test_what_is_imported_later_is_no_cycle(modules: dict[str, str]) -> None:
    assert not _cycle(modules)
