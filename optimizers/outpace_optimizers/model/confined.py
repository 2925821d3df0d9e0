"""What an idea of a model may not reach for. The sandbox lets code read the files that its user can read, and what a
check saw is told to the model. So code that a model wrote reads no file and no environment, and runs no text as code.

This reads the text alone: the sandbox is the wall, and this the fence before it.
"""

from __future__ import annotations

import ast
import re
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
    "benchmark", "testing", "fx", "onnx", "package", "CompilationUnit", "ScriptModule", "collect_env", "bottleneck",
    "bundled_inputs", "model_dump", "datapipes", "file_baton", "hipify", "tensorboard", "profiler", "debug_dump",
    "compile_module_from_src", "compat", "fromregex", "overrides", "CodeType", "FunctionType", "Formatter", "get_field",
    "get_args", "get_annotations", "evaluate_forward_ref", "infer_schema", "update_wrapper", "wraps", "xeon",
    "load_cache_artifacts", "save_cache_artifacts",
)  # fmt: skip
"""Of anything: modules that torch and numpy carry along, functions that read or write files, ways around this list.
`"{0.os}".format(torch)` walks attributes that stand in a text, as do `update_wrapper`'s names; `singledispatch` and
`torch.jit.script` run annotations that do, `torch.utils.benchmark` and `numpy.testing` statements, `collect_env`
commands. `torch.overrides` lists torch's functions, those that read files among them."""
WORDS = (
    "array", "chunk", "code", "copy", "queue", "random", "select", "signal", "stat", "statistics", "string", "struct",
    "symbol", "time", "token", "trace", "types", "typing",
)  # fmt: skip
"""Modules of Python's whose names torch, numpy and models give to other things; the rest, such as `torch.glob`, are
closed as attributes too."""
OPERATORS = (
    "_scaled_", "_foreach_", "_fused_", "_int_mm", "_grouped_mm", "_weight_", "_addmm_activation", "_softmax",
    "_log_softmax", "_safe_softmax", "_efficient_attention", "_flash_attention", "_cudnn_attention", "_to_copy",
    "_unsafe_", "_native_", "_VF",
)  # fmt: skip
"""How private names begin that ideas may use: operators of torch. Behind others are its compilers and loaders."""
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
STORES = ("load", "save", "jit")
"""Of torch and numpy; `tl.load` and `triton.jit` are others. `torch.jit` compiles texts, which may read files."""
PLAIN_TYPES = ("int", "float", "str", "bytes", "bool", "tuple", "list", "dict", "set")
_ANNOTATION = re.compile(r"[\w.,|\[\] ]*")
"""Of a text that stands for a type. Some functions run such texts; this one calls nothing."""


def beyond(before: ast.Module, after: ast.Module) -> str:
    """What `after` reaches for and an idea may not, where `before` did not: the first, as `uses open`; or nothing."""
    known = {node.attr for node in ast.walk(before) if isinstance(node, ast.Attribute)}
    more = Counter(_reached(after, known)) - Counter(_reached(before, known))
    return next(iter(more), "")


def _reached(tree: ast.AST, known: set[str]) -> Iterator[str]:
    """`known`: attributes that the original uses; private ones among them may be used more often."""
    aliases, kernels, stars, own = aliases_of(tree), _triton_names(tree), _has_star(tree), _own_private(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"imports {one.name}" for one in node.names if not _may_import(one.name))
        elif isinstance(node, ast.ImportFrom):
            names = [f"{'.' * node.level}{node.module or ''}", *(one.name for one in node.names)]
            if node.level or not _may_import(".".join(names)):
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
        elif isinstance(node, ast.Attribute) and node.attr.startswith("__") and not isinstance(node.ctx, ast.Load):
            yield f"changes {node.attr}"
        elif isinstance(node, ast.Attribute) and _is_private(node.attr) and node.attr not in known:
            if node.attr not in own or _root(node) in aliases:
                yield f"uses {node.attr}, which is private"
        elif isinstance(node, ast.MatchClass):
            yield from (f"uses {name}" for name in node.kwd_attrs if _leads(name) or _is_private(name))
            if node.patterns and not (isinstance(node.cls, ast.Name) and node.cls.id in PLAIN_TYPES):
                yield "takes an object apart by the place of its fields"
        else:
            yield from _made(node)


def _made(node: ast.AST) -> Iterator[str]:
    """What a definition has Python do by itself."""
    if isinstance(node, ast.Global):
        yield from (f"declares global {name}" for name in node.names)
    elif isinstance(node, (ast.arg, ast.AnnAssign)):
        yield from _run_as_type(node.annotation)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield from _run_as_type(node.returns)
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


def _run_as_type(annotation: ast.expr | None) -> Iterator[str]:
    for node in ast.walk(annotation) if annotation is not None else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not _ANNOTATION.fullmatch(node.value):
            yield "has an annotation that is a text which can run"


def _leads(name: str) -> bool:
    """`collections._sys` is sys."""
    return _is_way(name.lstrip("_")) or name in STORES or _is_dunder(name)


def _is_way(name: str) -> bool:
    return name in ATTRIBUTES or (name in sys.stdlib_module_names and name not in IMPORTS and name not in WORDS)


def _is_private(name: str) -> bool:
    return name.startswith("_") and name.strip("_") != "" and not name.endswith("__") and not name.startswith(OPERATORS)


def _own_private(tree: ast.AST) -> set[str]:
    """Private names that the file itself gives to attributes: fields, methods, buffers."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.ClassDef):
            found |= {one.name for one in node.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))}
            found |= {name.id for one in node.body for name in ast.walk(one) if isinstance(name, ast.Name)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return {name for name in found if _is_private(name)}


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
    stores = () if parts[0] == "triton" else STORES
    return parts[0] in IMPORTS and not any(
        part == "*" or _is_way(part.lstrip("_")) or _is_dunder(part) or _is_private(part) or part in stores
        for part in parts[1:]
    )


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in DUNDERS


def _is_closed(module: str) -> bool:
    """A module of Python's own that may not be imported, but that the file imports already."""
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names and top not in IMPORTS


def _root(node: ast.Attribute) -> str:
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    return inner.id if isinstance(inner, ast.Name) else ""
