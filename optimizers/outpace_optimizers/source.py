"""One user file: its text, its tree, and what a target reaches in it. Nothing here imports torch or
runs user code.
"""

from __future__ import annotations

import ast
import hashlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from outpace_audit.constants import Changeable
from outpace_audit.errors import SourceError, TargetError

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
DefinitionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Position = tuple[int, int]
"""(line from 1, column from 0 in characters): what LibCST counts; `ast` counts bytes."""

UNTOUCHED = ("get_inputs", "get_init_inputs")
"""Input makers, `get_inputs_NAME` included: an edit there would change the question, not the answer."""

_BLOCKS = (ast.If, ast.Try, ast.With)
_CONSTRUCTION = ("__init__", "forward", "__call__")


def base_hash(text: str) -> str:
    """SHA-256 of the text, as a patch names its base."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def lines_of(text: str) -> list[str]:
    """With their ends. Only \\n, \\r\\n and \\r end a line, as in Python's grammar and in LSP."""
    return list(io.StringIO(text, newline=""))


@dataclass(frozen=True, eq=False)
class Definition:
    """A function, method or class of the file. `owner` is the class of a method."""

    qualname: str
    node: DefinitionNode
    owner: ast.ClassDef | None = None


@dataclass(frozen=True, eq=False)
class Source:
    """The text of one file and its tree."""

    path: str
    text: str
    tree: ast.Module = field(repr=False)

    @cached_property
    def lines(self) -> list[str]:
        return lines_of(self.text)

    @cached_property
    def newline(self) -> str:
        first = self.lines[0] if self.lines else ""
        return first[len(first.rstrip("\r\n")) :] or "\n"

    @cached_property
    def indent(self) -> str:
        """The file's unit of indentation: that of its first indented definition body."""
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.col_offset == 0:
                line = self.lines[node.body[0].lineno - 1]
                unit = line[: len(line) - len(line.lstrip(" \t"))]
                if unit:
                    return unit
        return "    "

    def column(self, line: int, byte: int) -> int:
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return byte if text.isascii() else len(text.encode("utf-8", "surrogatepass")[:byte].decode("utf-8", "replace"))

    def start(self, node: ast.stmt | ast.expr) -> Position:
        return node.lineno, self.column(node.lineno, node.col_offset)

    def end(self, node: ast.stmt | ast.expr) -> Position:
        line = node.end_lineno or node.lineno
        return line, self.column(line, node.end_col_offset or 0)

    def segment(self, node: ast.stmt | ast.expr) -> str:
        """The node as its author spelled it, newlines as \\n."""
        (first, left), (last, right) = self.start(node), self.end(node)
        if first == last:
            return self.lines[first - 1][left:right]
        middle = self.lines[first : last - 1]
        parts = [self.lines[first - 1][left:], *middle, self.lines[last - 1][:right]]
        return "".join(parts).replace("\r\n", "\n").replace("\r", "\n")

    @cached_property
    def words(self) -> frozenset[str]:
        """Every name and parameter that occurs in the file."""
        nodes = list(ast.walk(self.tree))
        names = {node.id for node in nodes if isinstance(node, ast.Name)}
        return frozenset(names | {node.arg for node in nodes if isinstance(node, ast.arg)})

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """Module-level functions and classes, and methods as `Class.method`; the last of a name wins."""
        found: dict[str, Definition] = {}
        for node in module_level(self.tree.body):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found[node.name] = Definition(node.name, node)
            if isinstance(node, ast.ClassDef):
                for item in module_level(node.body):
                    if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
                        found[f"{node.name}.{item.name}"] = Definition(f"{node.name}.{item.name}", item, node)
        return found


@lru_cache(maxsize=8)
def parse(path: str, text: str) -> Source:
    """Raises SourceError, `file:line: what`, where the text is not Python."""
    try:
        return Source(path, text, tree_of(text))
    except SyntaxError as error:
        raise SourceError(f"{path}:{error.lineno or 1}: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise SourceError(f"{path}:1: {error}") from error


def tree_of(text: str) -> ast.Module:
    """`ast.parse` without Python's warnings: an invalid escape in somebody's docstring is not ours to report."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run in this body's own scope, also inside `if`, `try` and `with`."""
    for node in body:
        yield node
        if isinstance(node, _BLOCKS):
            for name in ("body", "orelse", "finalbody"):
                yield from module_level(getattr(node, name, []))
            for handler in getattr(node, "handlers", []):
                yield from module_level(handler.body)


def mentioned(node: ast.AST) -> tuple[set[str], set[str]]:
    """Names loaded and attributes named anywhere in `node`."""
    names: set[str] = set()
    attributes: set[str] = set()
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            names.add(child.id)
        elif isinstance(child, ast.Attribute):
            attributes.add(child.attr)
    return names, attributes


class _Reach:
    """Follows names, methods and constructed classes from one symbol to a fixed point."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: dict[str, Definition] = {}
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.globals: dict[str, list[ast.expr]] = {}
        for node in module_level(source.tree.body):
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name):
                        self.globals.setdefault(target.id, []).append(node.value)

    def read(self, node: ast.AST) -> None:
        names, attributes = mentioned(node)
        self.attributes |= attributes
        for name in names - self.names:
            self.names.add(name)
            for value in self.globals.get(name, []):
                self.read(value)

    def add(self, definition: Definition) -> None:
        if definition.qualname in self.found or definition.qualname.rpartition(".")[2].startswith(UNTOUCHED):
            return
        self.found[definition.qualname] = definition
        if isinstance(definition.node, ast.ClassDef):
            for base in definition.node.bases:
                self.read(base)
            for item in definition.node.body:
                if isinstance(item, (ast.Assign, ast.AnnAssign)) and item.value is not None:
                    self.read(item.value)
        else:
            self.read(definition.node)

    def run(self, symbol: str) -> list[Definition]:
        self.names.add(symbol.split(".")[0])
        if "." in symbol:
            self.add(self.source.definitions[symbol])
        size = -1
        while size != len(self.found):
            size = len(self.found)
            for name, definition in self.source.definitions.items():
                if definition.owner is None:
                    wanted = name in self.names
                else:
                    method = definition.node.name
                    wanted = definition.owner.name in self.found and (
                        method in _CONSTRUCTION or method in self.attributes
                    )
                if wanted:
                    self.add(definition)
        return sorted(self.found.values(), key=lambda definition: definition.node.lineno)


def reached(source: Source, symbol: str) -> list[Definition]:
    """The definitions that `symbol` can reach within its file, itself included, in file order.

    Over-approximates: a method counts as reached when its class is and its name is mentioned somewhere.
    """
    if symbol not in source.definitions:
        raise TargetError(f"{source.path}: no top-level function or class named {symbol}")
    return _Reach(source).run(symbol)


def _outline(tree: ast.Module, spans: frozenset[str]) -> list[str]:
    """The tree as text with the bodies of `spans` and all imports left out."""
    parts: list[str] = []
    changeable = Changeable(tree)

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            name = prefix + getattr(node, "name", "")
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and name in spans:
                parts.append(f"<{name}>")
            elif not prefix and changeable.name(node) in spans:
                parts.append(changeable.kept(node))
            elif isinstance(node, ast.ClassDef):
                head = [*node.decorator_list, *node.bases, *node.keywords]
                parts.append(f"class {name} " + " ".join(ast.dump(item) for item in head))
                visit(node.body, f"{name}.")
            elif isinstance(node, _BLOCKS):
                parts.append(type(node).__name__ + ast.dump(node.test) if isinstance(node, ast.If) else "")
                for block in ("body", "orelse", "finalbody"):
                    visit(getattr(node, block, []), prefix)
                parts.extend(ast.dump(handler) for handler in getattr(node, "handlers", []))
                parts.extend(ast.dump(item) for item in getattr(node, "items", []))
            else:
                parts.append(ast.dump(node))

    visit(tree.body, "")
    return parts


def _known(tree: ast.Module) -> set[str]:
    """Every name that the tree defines, imports, binds or reads."""
    known: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            known.add(node.id)
        elif isinstance(node, ast.arg):
            known.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            known.add(node.name)
        elif isinstance(node, ast.alias):
            known.add((node.asname or node.name).split(".")[0])
    return known


def differs_outside(old: str, new: str, spans: tuple[str, ...]) -> bool:
    """Whether `new` changes anything but the definitions named in `spans`, whole numbers of the top level and C++ that
    is compiled among them, and one added import per line. A span that `old` does not know, not even as a name, may be
    added.
    """
    names = frozenset(spans)
    tree = tree_of(old)
    fresh = {f"<{name}>" for name in names - _known(tree) if "." not in name}
    before, after = _outline(tree, names), [part for part in _outline(tree_of(new), names) if part not in fresh]
    known = set(before)
    added = [part for part in after if part not in known]
    if any(not part.startswith(("Import(", "ImportFrom(")) for part in added):
        return True
    return [part for part in after if part in known] != before
