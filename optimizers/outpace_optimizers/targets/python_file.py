"""A Python file with an nn.Module class or a function, and how to call it: by `get_inputs()` beside it, KernelBench's
convention, or as a captured run called it.

    class Model(nn.Module): ...
    def get_inputs(): return [torch.randn(16, 1024)]          # the positional arguments of one call
    def get_init_inputs(): return [1024]                      # the constructor's, where it takes any

`get_inputs_NAME()` and `get_init_inputs_NAME()` win over these for the target NAME, and what the file declares wins
over what was captured. The file is read, never imported.
"""

from __future__ import annotations

import ast
import difflib
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from outpace_audit.errors import SourceError, TargetError
from outpace_audit.records import Code, Workload
from outpace_optimizers import notebook
from outpace_optimizers.captures import CapturedTarget, captured_in, files_to_optimize
from outpace_optimizers.records import Target
from outpace_optimizers.targets.captured import target_of
from outpace_optimizers.targets.definitions import (
    NOT_TARGETS,
    Definitions,
    read_definitions,
    required_arguments,
    takes_arguments,
)
from outpace_optimizers.targets.source_text import parse_source, read_source
from outpace_optimizers.workspace import Workspace

LISTED = 5
"""Files that an error names."""


def load_python_file(path: Path, name: str | None) -> Target:
    if path.suffix not in (".py", notebook.SUFFIX):
        raise SourceError(f"{path}: not a Python file; outpace takes .py files, notebooks and SOL-ExecBench folders")
    text = read_source(path).text
    found = read_definitions(parse_source(text, str(path)))
    workspace = Workspace.of(path)
    captured = {target.name: target for target in captured_in(workspace.state, path)}
    if name is None and captured and "get_inputs" not in found.bound:
        name = _choose_captured(found, captured)
        others = files_to_optimize(workspace.state)
        if name is None and others:
            listed = ", ".join(os.path.relpath(other) for other in others[:LISTED])
            raise TargetError(f"{path}: nothing in it that was captured can be called again; what can is in {listed}")
    symbol = _check_named(found, name, path) if name else _choose(found, path, text)
    if symbol in captured and _entry(found, "get_inputs", symbol) is None:
        return target_of(_unchanged(captured[symbol], found, path), text, path)
    entry = _inputs_entry(found, symbol, path, text)
    is_class = symbol in found.classes
    code = Code(
        path=str(path.absolute()),
        source=text,
        symbol=symbol,
        kind="module" if is_class else "function",
        init_entry=_init_entry(found, symbol, path) if is_class else None,
    )
    return Target(code, (Workload(label=entry, maker="get_inputs", origin="declared", entry=entry),))


def _choose_captured(found: Definitions, captured: Mapping[str, CapturedTarget]) -> str | None:
    """Of what a run has called and can be called again: a module that no other is built from, else what took most
    time."""
    usable = [name for name, target in captured.items() if target.trouble is None and name in found.bound]
    modules = [name for name in usable if name in found.classes]
    inner = {mention for name in modules for mention in found.references(name)}
    outer = [name for name in modules if name not in inner]
    return next(iter((*outer, *modules, *usable)), None)


def _unchanged(target: CapturedTarget, found: Definitions, path: Path) -> CapturedTarget:
    """Raises TargetError where the parameters are no longer those that were captured."""
    function = found.functions.get(target.name) or found.method_of(target.name, "forward")
    if function is None:
        return target
    now = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
    captured = [name for name in target.parameters if "." not in name]
    if now[-len(captured) :] != captured and captured:
        raise TargetError(
            f"{path}:{function.lineno}: {target.name} was captured with the parameters ({', '.join(captured)}), which "
            f"it no longer has: run `outpace capture -- {target.command}` again"
        )
    return target


def _modules(found: Definitions, *, certain: bool) -> list[str]:
    """Those that can be called."""
    kind = True if certain else None
    return [name for name in found.classes if found.is_module(name) is kind and not found.called_by(name)]


def _callables(found: Definitions) -> list[str]:
    """Functions that can be the target without being named: no helpers, drivers or input makers."""
    names = [
        name
        for name in found.functions
        if not name.startswith(("_", "get_", "test_")) and name not in NOT_TARGETS and not found.is_triton_kernel(name)
    ]
    called = {mention for name in names for mention in found.references(name)}
    return [name for name in names if name not in called] or names


def _choose(found: Definitions, path: Path, text: str) -> str:
    """`Model`, or the one module that no other is built from, or the one function that no other calls."""
    modules = _modules(found, certain=True)
    for known in ("Model", "ModelNew"):
        if known in modules:
            return known
    inner = {mention for name in modules for mention in found.references(name)}
    groups = (
        [name for name in modules if name not in inner] or modules,
        _callables(found),
        _modules(found, certain=False),
    )
    group = next((names for names in groups if names), [])
    if len(group) == 1:
        return group[0]
    if not group:
        for name in found.classes:
            _refuse_uncalled(found, name, path)
        raise TargetError(f"{path}: no nn.Module class and no function to optimize; name a file that has one")
    raise TargetError(
        f"{path}: several possible targets ({', '.join(group)}); choose one with --target NAME"
        + ("" if any(name.startswith("get_inputs") for name in found.bound) else _or_capture(path, text))
    )


def _refuse_uncalled(found: Definitions, name: str, path: Path) -> None:
    """Of a module class without `forward`."""
    methods = found.called_by(name) if found.is_module(name) else []
    if methods:
        raise TargetError(
            f"{path}:{found.classes[name].lineno}: {name} has no forward(), and outpace times that; let it have one "
            f"that calls {' or '.join(f'{method}()' for method in methods[:2])}, or name another target"
        )


def _check_named(found: Definitions, name: str, path: Path) -> str:
    known = [
        *(cls for cls in found.classes if found.is_module(cls) is not False),
        *(fn for fn in found.functions if not fn.startswith("get_") and not found.is_triton_kernel(fn)),
    ]
    if name in known:
        if name in found.classes:
            _refuse_uncalled(found, name, path)
        return name
    if name in found.classes:
        raise TargetError(f"{path}: {name} is a class, but no nn.Module; name a module class or a function")
    if name in found.functions and found.is_triton_kernel(name):
        raise TargetError(f"{path}: {name} is a Triton kernel; name the function or module that launches it")
    outer = name.partition(".")[0]
    near = [outer] if outer in known else difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    listed = ", ".join(known) if known else "none"
    raise TargetError(f"{path}: no target {name!r}; {hint}targets: {listed}")


def _inputs_entry(found: Definitions, symbol: str, path: Path, text: str) -> str:
    entry = _entry(found, "get_inputs", symbol)
    if entry is None:
        raise TargetError(
            f"{path}: no get_inputs(), so {symbol} cannot be called; add what one call takes:\n"
            "    def get_inputs():\n"
            "        return [torch.randn(16, 1024)]" + _or_capture(path, text)
        )
    _refuse_arguments(found, entry, path)
    return entry


def _or_capture(path: Path, text: str) -> str:
    """The other way, with the file itself where it runs; a notebook has none."""
    if path.suffix == notebook.SUFFIX:
        return ""
    script = os.path.relpath(path) if _runs(text) else "train.py"
    return f"\nor let outpace see a run of your own script: outpace capture -- python {shlex.quote(script)}"


def _runs(text: str) -> bool:
    """Whether the file is a script: it has a loop at its top level, or asks whether it is the main module."""
    return any(
        isinstance(node, (ast.For, ast.While)) or (isinstance(node, ast.If) and "__name__" in ast.unparse(node.test))
        for node in ast.parse(text).body
    )


def _init_entry(found: Definitions, symbol: str, path: Path) -> str | None:
    init = found.init_of(symbol)
    if init is not None and not takes_arguments(init):
        return None
    if init is None and not found.foreign_init(symbol):
        return None
    entry = _entry(found, "get_init_inputs", symbol)
    needed = required_arguments(init, bound=True) if init is not None else []
    if entry is None and needed:
        values = ", ".join("..." for _ in needed)
        raise TargetError(
            f"{path}: {symbol} needs constructor arguments ({', '.join(needed)}); add what returns them:\n"
            "    def get_init_inputs():\n"
            f"        return [{values}]"
        )
    if entry is not None:
        _refuse_arguments(found, entry, path)
    return entry


def _entry(found: Definitions, stem: str, symbol: str) -> str | None:
    return next((name for name in (f"{stem}_{symbol}", stem) if name in found.bound), None)


def _refuse_arguments(found: Definitions, entry: str, path: Path) -> None:
    function = found.functions.get(entry)
    if function is not None and (needed := required_arguments(function)):
        raise TargetError(f"{path}:{function.lineno}: {entry}() must take no arguments, but needs {', '.join(needed)}")
