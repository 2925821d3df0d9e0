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
    "get_type_hints", "ForwardRef", "make_dataclass", "PackageImporter", "linecache", "format", "format_map", "vformat",
    "singledispatch", "singledispatchmethod", "script", "copyreg", "codecache", "DataSource", "npyio", "model_zoo",
    "load_url", "load_state_dict_from_url", "distributed", "multiprocessing", "Library",
)  # fmt: skip
"""Of anything: modules that torch and numpy carry along, functions that read or write files, ways around this list.
`"{0.os}".format(torch)` walks attributes that stand in a text, and `singledispatch` and `torch.jit.script` run
annotations that do."""
DUNDERS = (
    "__init__", "__call__", "__class__", "__name__", "__version__", "__len__", "__getitem__", "__iter__", "__enter__",
    "__exit__", "__doc__",
)  # fmt: skip
"""All others, as attributes or as plain names, lead from any object to all of Python."""
METHODS = (
    *DUNDERS,
    "__post_init__",
    "__repr__",
    "__str__",
    "__eq__",
    "__hash__",
    "__bool__",
    "__next__",
    "__contains__",
)
"""That an idea may define. Python calls others by itself, when nobody looks: `__del__` and `__getattr__` among them."""
STORES = ("load", "save")
"""Of torch and numpy; `tl.load` is another."""


def beyond(before: ast.Module, after: ast.Module) -> str:
    """What `after` reaches for and an idea may not, where `before` did not: the first, as `uses open`; or nothing."""
    more = Counter(_reached(after)) - Counter(_reached(before))
    return next(iter(more), "")


def _reached(tree: ast.AST) -> Iterator[str]:
    aliases, kernels, stars = aliases_of(tree), _triton_names(tree), _has_star(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"imports {one.name}" for one in node.names if not _may_import(one.name))
        elif isinstance(node, ast.ImportFrom):
            names = [f"{'.' * node.level}{node.module or ''}", *(one.name for one in node.names)]
            if node.level or not _may_import(".".join(names)) or _is_store(names[-1], names[0]):
                yield f"imports {names[0]}.{names[-1]}"
        elif isinstance(node, ast.Name) and (
            node.id in NAMES
            or _is_dunder(node.id)
            or _is_closed(aliases.get(node.id, ""))
            or (stars and _leads(node.id))
        ):
            yield f"uses {node.id}"
        elif isinstance(node, ast.Attribute) and _leads(node.attr):
            if node.attr not in STORES or _root(node) not in kernels:
                yield f"uses {node.attr}"
        elif isinstance(node, ast.MatchClass):
            yield from (f"uses {name}" for name in node.kwd_attrs if _leads(name))
        else:
            yield from _made(node)


def _made(node: ast.AST) -> Iterator[str]:
    """What a definition has Python do by itself."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        if _is_dunder(node.name) and node.name not in METHODS:
            yield f"defines {node.name}"
    elif isinstance(node, ast.ClassDef):
        yield from (f"gives class {node.name} a {one.arg}" for one in node.keywords if one.arg in ("metaclass", None))
    elif _calls_type(node):
        yield "makes a class by calling type"


def _calls_type(node: ast.AST) -> bool:
    """With three arguments; with one it only asks."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type"):
        return False
    return len(node.args) != 1 or bool(node.keywords)


def _leads(name: str) -> bool:
    """`collections._sys` is sys."""
    return name.lstrip("_") in ATTRIBUTES or name in STORES or _is_dunder(name)


def _triton_names(tree: ast.AST) -> set[str]:
    """Names that are Triton's wherever they stand."""
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    imported: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        for name, module in _imported(node):
            imported.setdefault(name, set()).add(module.partition(".")[0])
    return {name for name, modules in imported.items() if modules == {"triton"}} - bound


def _has_star(tree: ast.AST) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(tree))


def aliases_of(tree: ast.AST) -> Mapping[str, str]:
    """Local name -> module, or member of one, that it was imported as."""
    return {name: module for node in ast.walk(tree) for name, module in _imported(node)}


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        yield from ((one.asname or one.name.partition(".")[0], one.name) for one in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from ((one.asname or one.name, f"{node.module or ''}.{one.name}") for one in node.names)


def _may_import(name: str) -> bool:
    parts = name.split(".")
    return parts[0] in IMPORTS and not any(
        part == "*" or part.lstrip("_") in ATTRIBUTES or _is_dunder(part) for part in parts[1:]
    )


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
