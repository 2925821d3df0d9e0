"""Turns a Code record into a live module inside an arm, without touching the user's tree."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import sys
import types
from collections.abc import Sequence
from pathlib import Path

from outpace_audit.captured_calls import captured_value
from outpace_audit.encoding import main_names
from outpace_audit.errors import ArmError
from outpace_audit.records import Captured, Code, NewFile
from outpace_audit.slicing import CAPTURED, bound_names, slice_of

NOTEBOOK = ".ipynb"
INPUT_MAKERS = ("get_inputs", "get_init_inputs")


def load_source(code: Code, scratch: Path, alias: str | None = None) -> types.ModuleType:
    """Executes `code.source` as a module whose siblings and packages are those of `code.path`.

    The text is written under `scratch`, so that tools which read a function's source (Triton, inductor) find the
    text that runs. `alias` keeps a second copy of the same file apart from the first.
    """
    path = Path(code.path)
    package, name = _package_of(path)
    qualified = f"{package}.{name}" if package else name
    if code.files:
        _write_files(code.files, scratch / "files")
    if code.builds and path.parent.is_dir():
        os.chdir(path.parent)  # sources of extensions are often named from there, where their author runs the script
    if package:
        importlib.import_module(package)
    module_name = alias or qualified
    text_path = scratch / (alias or "subject") / f"{path.stem}.py"
    text_path.parent.mkdir(parents=True, exist_ok=True)
    text_path.write_text(code.source, encoding="utf-8")
    module = types.ModuleType(module_name)
    module.__file__ = str(path)
    module.__package__ = package
    module.__spec__ = importlib.util.spec_from_file_location(module_name, text_path)
    sys.modules[module_name] = module
    if code.captured is not None and code.captured.script:
        _run_slice(code, code.captured, text_path, module)
    elif path.suffix == NOTEBOOK:
        exec(compile(_without_running_part(code), str(text_path), "exec", dont_inherit=True), module.__dict__)
    elif alias is not None and code.builds and (makers := _makers(code)):
        # What the inputs do not need is not built a second time.
        tree = slice_of(code.source, makers, ())
        exec(compile(tree, str(text_path), "exec", dont_inherit=True), module.__dict__)
    else:
        exec(compile(code.source, str(text_path), "exec", dont_inherit=True), module.__dict__)
    return module


def _run_slice(code: Code, captured: Captured, text_path: Path, module: types.ModuleType) -> None:
    roots = {code.symbol, *captured.names, *main_names(captured.constructor), *main_names(captured.globals)}
    tree = slice_of(code.source, roots, captured.globals)
    module.__dict__[CAPTURED] = lambda name: captured_value(captured, name, module)
    exec(compile(tree, str(text_path), "exec", dont_inherit=True), module.__dict__)


def _without_running_part(code: Code) -> ast.Module:
    """A notebook trains when it is run: what its target and the input makers do not reach is left out."""
    return slice_of(code.source, {code.symbol, *_makers(code)}, ())


def _makers(code: Code) -> set[str]:
    defined = {name for statement in ast.parse(code.source).body for name in bound_names(statement)}
    return {name for name in defined if name.startswith(INPUT_MAKERS)}


def _write_files(files: Sequence[NewFile], folder: Path) -> None:
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    sys.path.insert(0, str(folder))


def symbol_of(module: types.ModuleType, symbol: str) -> object:
    try:
        return getattr(module, symbol)
    except AttributeError:
        raise ArmError("load", "raised", f"{module.__name__} has no {symbol!r} once it is imported") from None


def _package_of(path: Path) -> tuple[str, str]:
    """Dotted package and module name of a file; puts the directory above the package first on sys.path."""
    parts: list[str] = []
    root = path.parent
    while (root / "__init__.py").is_file() and root.name.isidentifier():
        parts.insert(0, root.name)
        root = root.parent
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return ".".join(parts), path.stem
