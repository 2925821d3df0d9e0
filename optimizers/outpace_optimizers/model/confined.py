"""What an idea of a model may not reach for. The sandbox lets code read the files that its user can read, and what a
check saw is told to the model. So code that a model wrote reads no file and no environment, and runs no text as code.

This reads the text alone: the sandbox is the wall, and this the fence before it.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator, Mapping

IMPORTS = (
    "__future__", "abc", "bisect", "collections", "contextlib", "copy", "dataclasses", "einops", "enum", "functools",
    "heapq", "itertools", "math", "numbers", "numpy", "operator", "outpace_kernels", "torch", "triton", "typing",
    "typing_extensions", "warnings",
)  # fmt: skip
"""Modules that an idea may import."""
NAMES = (
    "open", "exec", "eval", "compile", "breakpoint", "getattr", "setattr", "delattr", "globals", "locals", "vars",
)  # fmt: skip
"""Of Python itself, as plain names: `torch.compile` is another."""
ATTRIBUTES = (
    "os", "sys", "io", "subprocess", "socket", "ctypes", "builtins", "importlib", "inspect", "pathlib", "shutil",
    "pickle",
    "environ", "getenv", "hub", "serialization", "cpp_extension", "load_library", "load_inline", "ctypeslib", "f2py",
    "open", "open_memmap", "memmap", "fromfile", "from_file", "tofile", "loadtxt", "genfromtxt", "savetxt", "savez",
    "read_text", "write_text", "read_bytes", "write_bytes", "unlink", "rmtree", "attrgetter", "methodcaller",
    "get_type_hints", "ForwardRef", "make_dataclass", "PackageImporter", "linecache",
)  # fmt: skip
"""Of anything: modules that torch and numpy carry along, functions that read or write files, ways around this list."""
DUNDERS = (
    "__init__", "__call__", "__class__", "__name__", "__version__", "__len__", "__getitem__", "__iter__", "__enter__",
    "__exit__", "__doc__",
)  # fmt: skip
"""All others, as attributes or as plain names, lead from any object to all of Python."""
STORES = ("load", "save")
"""Of torch and numpy; `tl.load` is another."""


def beyond(before: ast.Module, after: ast.Module) -> str:
    """What `after` reaches for and an idea may not, where `before` did not: the first, as `uses open`; or nothing."""
    more = Counter(_reached(after)) - Counter(_reached(before))
    return next(iter(more), "")


def _reached(tree: ast.Module) -> Iterator[str]:
    aliases = aliases_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"imports {one.name}" for one in node.names if not _may_import(one.name))
        elif isinstance(node, ast.ImportFrom):
            names = [f"{'.' * node.level}{node.module or ''}", *(one.name for one in node.names)]
            if node.level or not _may_import(".".join(names)) or _is_store(names[-1], names[0]):
                yield f"imports {names[0]}.{names[-1]}"
        elif isinstance(node, ast.Name) and (
            node.id in NAMES or _is_dunder(node.id) or _is_closed(aliases.get(node.id, ""))
        ):
            yield f"uses {node.id}"
        elif isinstance(node, ast.Attribute) and (
            node.attr in ATTRIBUTES or _is_dunder(node.attr) or _is_store(node.attr, aliases.get(_root(node), ""))
        ):
            yield f"uses {node.attr}"


def aliases_of(tree: ast.Module) -> Mapping[str, str]:
    """Local name -> module, or member of one, that it was imported as."""
    table: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            table |= {one.asname or one.name.partition(".")[0]: one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            table |= {one.asname or one.name: f"{node.module or ''}.{one.name}" for one in node.names}
    return table


def _may_import(name: str) -> bool:
    parts = name.split(".")
    return parts[0] in IMPORTS and not any(part in ATTRIBUTES or _is_dunder(part) for part in parts[1:])


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in DUNDERS


def _is_closed(module: str) -> bool:
    """A module of Python's own that may not be imported, but that the file imports already."""
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names and top not in IMPORTS


def _is_store(name: str, module: str) -> bool:
    return name in STORES and module.partition(".")[0] in ("torch", "numpy")


def _root(node: ast.Attribute) -> str:
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    return inner.id if isinstance(inner, ast.Name) else ""
