"""C++ and CUDA that a Python text has built as it runs: which calls of torch's `load_inline` and `load` do it, and of
which texts. Reads syntax only; standard library only."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

MODULE = "torch.utils.cpp_extension"
SUFFIXES = (".cu", ".cuh", ".cpp", ".cc", ".cxx", ".c", ".h", ".hpp", ".inl")
FLAGS = ("extra_cflags", "extra_cuda_cflags", "extra_ldflags")
Language = Literal["cpp", "cuda"]
SOURCES: Mapping[str, Language] = {"cpp_sources": "cpp", "cuda_sources": "cuda"}
_POSITIONS = {"load_inline": ("name", "cpp_sources", "cuda_sources"), "load": ("name", "sources")}

_ERROR = re.compile(r"^(\S*?)([^/\s]+)(\(\d+\)|:\d+(?::\d+)?): (?:fatal |catastrophic )?error:? ?(.*)$", re.MULTILINE)
"""Of g++ and clang (`main.cpp:5:3: error: what`), and of nvcc (`cuda.cu(5): error: what`)."""
_EXTENSION = re.compile(r"Error building extension '([^']*)'")


@dataclass(frozen=True, eq=False)
class NativeText:
    """One string that is compiled. `constant`: the name of the top level that it is given to, if it is."""

    node: ast.Constant
    language: Language
    constant: str | None

    @property
    def text(self) -> str:
        return str(self.node.value)


@dataclass(frozen=True, eq=False)
class Build:
    """One call. `arguments`: by their names, those that are given by place too."""

    node: ast.Call
    inline: bool
    arguments: Mapping[str, ast.expr]
    texts: tuple[NativeText, ...]
    unread: tuple[str, ...]
    """Arguments with sources or flags that cannot be told from the text."""

    def flags(self, argument: str) -> list[ast.Constant] | None:
        """The strings of a literal list; [] where the argument is absent or None, None where it is anything else."""
        node = self.arguments.get(argument)
        if node is None or (isinstance(node, ast.Constant) and node.value is None):
            return []
        if not isinstance(node, (ast.List, ast.Tuple)):
            return None
        given = [one for one in node.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        return given if len(given) == len(node.elts) else None


def builds(tree: ast.Module) -> list[Build]:
    known = dict(_imports(tree))
    if not any(name.startswith("torch") for name in known.values()):
        return []
    calls = [
        (node, function)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and (function := _called(node.func, known)) is not None
    ]
    constants = dict(_constants(tree)) if calls else {}
    return [_build(node, function, constants) for node, function in calls]


def built_constants(tree: ast.Module) -> frozenset[str]:
    """Strings of the top level that are compiled, and used for nothing else."""
    every = builds(tree)
    if not every:
        return frozenset()
    named = {text.constant for build in every for text in build.texts if text.constant is not None}
    inside = {id(part) for build in every for part in ast.walk(build.node)}
    others = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in inside
    }
    others |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return frozenset(named - others)


def without_free_parts(node: ast.Call, build: Build) -> str:
    """A call as text, less its flags and its sources where these are spelled out in it."""
    free = {name for name in FLAGS if build.flags(name) is not None}
    free |= {name for name in SOURCES if _spelled_out(build.arguments.get(name))}
    given = {name: ast.dump(value) for name, value in build.arguments.items() if name not in free}
    return f"{ast.dump(node.func)} {sorted(given.items())}"


def compiler_error(message: str) -> str | None:
    """The first that a compiler reported, of the many lines of a failed build; None where it was no build."""
    extension = _EXTENSION.search(message)
    if extension is None:
        return None
    first = _ERROR.search(message)
    lines = [line.strip() for line in message.splitlines() if "error" in line.lower()][1:]
    said = f"{first[2]}{first[3]}: {first[4]}" if first else next(iter(lines), "the compiler did not say why")
    return f"the extension {extension[1]!r} does not compile: {said}"


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def text_constant(node: ast.stmt) -> str | None:
    """The name that `NAME = "text"` gives a string to."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str())):
            return name
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str())):
            return name
        case _:
            return None


def _spelled_out(node: ast.expr | None) -> bool:
    if isinstance(node, (ast.List, ast.Tuple)):
        return all(map(is_text, node.elts))
    return node is not None and is_text(node)


def _build(node: ast.Call, function: str, constants: Mapping[str, ast.Constant]) -> Build:
    arguments: dict[str, ast.expr] = dict(zip(_POSITIONS[function], node.args, strict=False))
    arguments |= {key.arg: key.value for key in node.keywords if key.arg is not None}
    unread = ["what it is given by **"] if any(key.arg is None for key in node.keywords) else []
    unread += ["what it is given by *"] if any(isinstance(one, ast.Starred) for one in node.args) else []
    texts: list[NativeText] = []
    for argument, language in SOURCES.items():
        found = _texts(arguments[argument], language, constants) if argument in arguments else []
        unread += [argument] if found is None else []
        texts += found or []
    build = Build(node, function == "load_inline", arguments, tuple(texts), ())
    unread += [argument for argument in FLAGS if build.flags(argument) is None]
    return Build(node, build.inline, arguments, tuple(texts), tuple(unread))


def _texts(node: ast.expr, language: Language, constants: Mapping[str, ast.Constant]) -> list[NativeText] | None:
    """None where a part of it is not a string that stands in the file."""
    if isinstance(node, ast.Constant):
        return [NativeText(node, language, None)] if is_text(node) else [] if node.value is None else None
    if isinstance(node, ast.Name):
        return [NativeText(constants[node.id], language, node.id)] if node.id in constants else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [node.left, node.right]
    elif isinstance(node, (ast.List, ast.Tuple)):
        parts = node.elts
    else:
        return None
    found = [_texts(part, language, constants) for part in parts]
    return None if None in found else [text for texts in found for text in texts or []]


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.Constant]]:
    """Strings by the name that they, and nothing else in the file, are given to."""
    bound = Counter(
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    )
    bound.update(node.arg for node in ast.walk(tree) if isinstance(node, ast.arg))
    for node in ast.walk(tree):
        name = text_constant(node) if isinstance(node, ast.stmt) else None
        if name is not None and bound[name] == 1 and isinstance(node, (ast.Assign, ast.AnnAssign)):
            assert isinstance(node.value, ast.Constant), "text_constant says so"
            yield name, node.value


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What imports bind, by local name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (first, first)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _called(node: ast.expr, known: Mapping[str, str]) -> str | None:
    """`load_inline` or `load`, where it is that."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    owner, _, name = ".".join([known.get(node.id, node.id), *parts]).rpartition(".")
    return name if owner == MODULE and name in _POSITIONS else None
