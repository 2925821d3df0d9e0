"""Who calls a function or layer of the file: what nobody reads of its results, and what its parameters are given."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path

from outpace_optimizers.source import Definition, Source

from .flow import live_after, loads
from .scope import Scope, is_attribute

_ENTRY = ("forward", "__call__")
_HOOKS = frozenset({"register_forward_hook", "register_forward_pre_hook", "register_module_forward_hook"})
_FILES, _BYTES = 400, 300_000
"""How many files beside this one are searched for an import of it, and how long they may be; more is taken for one."""
_DEPTH = 6
"""How many folders up the project's own is looked for."""


class Callers:
    """The uses of each definition of one file, where `symbol` is what gets called from outside."""

    def __init__(self, source: Source, symbol: str) -> None:
        self.source = source
        self.symbol = symbol
        self.parents = {child: node for node in ast.walk(source.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def closed(self) -> bool:
        """Whether all calls are seen: no other file imports this one, no hook looks at results."""
        hooked = any(isinstance(node, ast.Attribute) and node.attr in _HOOKS for node in self.parents)
        return not hooked and not imported_elsewhere(self.source.path)

    def unread(self, definition: Definition, index: int, size: int, seen: frozenset[str] = frozenset()) -> bool:
        """Whether nobody reads element `index` of the `size` that the function returns as a tuple."""
        if definition.qualname in seen:
            return True
        calls = self.calls(definition)
        more = seen | {definition.qualname}
        return bool(calls) and all(self._drops(call, index, size, more) for call in calls or ())

    def passed(self, definition: Definition, name: str) -> list[tuple[Scope, ast.expr]] | None:
        """What each call gives to the parameter, where it gives anything; None where a call is not seen through."""
        calls, found = self.calls(definition), list[tuple[Scope, ast.expr]]()
        if not calls or isinstance(definition.node, ast.ClassDef):
            return None
        names = [arg.arg for arg in (*definition.node.args.posonlyargs, *definition.node.args.args)]
        names = names[definition.owner is not None :]
        for call in calls:
            scope = self._scope(call)
            if scope is None or any(isinstance(arg, ast.Starred) for arg in call.args):
                return None
            if any(key.arg is None for key in call.keywords):
                return None
            given = dict(zip(names, call.args, strict=False)) | {str(key.arg): key.value for key in call.keywords}
            found += [(scope, given[name])] if name in given else []
        return found

    def calls(self, definition: Definition) -> list[ast.Call] | None:
        """Every call of it; None where it may be called, or looked at, in another way."""
        owner, name = definition.owner, definition.qualname.rpartition(".")[2]
        entry = owner is not None and name in _ENTRY
        if definition.qualname == self.symbol or (entry and owner is not None and owner.name == self.symbol):
            return None
        if self._spelled_out(owner.name if entry and owner is not None else name):
            return None
        if owner is None:
            return self._as_calls(self._named(name))
        if not entry:
            return self._as_calls(self._attributes(name))
        return self._layer(owner.name)

    def _spelled_out(self, name: str) -> bool:
        """In `__all__`, for `getattr`, or bound a second time."""
        for node in self.parents:
            if isinstance(node, ast.Constant) and node.value == name:
                return True
            if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load):
                return True
            if isinstance(node, ast.arg) and node.arg == name:
                return True
        return False

    def _named(self, name: str) -> list[ast.AST]:
        return [node for node in self.parents if isinstance(node, ast.Name) and node.id == name]

    def _attributes(self, name: str) -> list[ast.AST]:
        found = [node for node in self.parents if isinstance(node, ast.Attribute) and node.attr == name]
        return [node for node in found if isinstance(node.ctx, ast.Load)]

    def _as_calls(self, uses: list[ast.AST]) -> list[ast.Call] | None:
        found: list[ast.Call] = []
        for node in uses:
            call = self.parents[node]
            if not isinstance(call, ast.Call) or call.func is not node:
                return None
            found.append(call)
        return found

    def _layer(self, name: str) -> list[ast.Call] | None:
        """The calls of a module class, through the attributes that it is constructed into."""
        made, found = self._as_calls(self._named(name)), list[ast.Call]()
        for construction in made or ():
            holder, listed = self._holder(construction)
            if holder is None:
                return None
            calls = self._of_list(holder) if listed else self._of_attribute(holder)
            if calls is None:
                return None
            found += calls
        return found if made else None

    def _holder(self, made: ast.Call) -> tuple[str | None, bool]:
        """(`attn`, whether a list of layers) of `self.attn = Layer()`, `self.layers = nn.ModuleList([Layer() ...])`."""
        node, listed = self.parents[made], False
        if isinstance(node, (ast.ListComp, ast.List, ast.GeneratorExp)):
            node = self.parents[node]
            listed = isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "ModuleList"
            node = self.parents[node] if listed else None
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner), attr=name) as target]) if is_attribute(
                target, owner
            ):
                return name, listed
            case _:
                return None, False

    def _of_attribute(self, name: str) -> list[ast.Call] | None:
        called: list[ast.AST] = []
        for node in self._attributes(name):
            parent = self.parents[node]
            if not isinstance(parent, ast.Attribute) or parent.attr in _ENTRY:
                called.append(node)
        return self._as_calls(called)

    def _of_list(self, name: str) -> list[ast.Call] | None:
        """`for layer in self.layers: ... layer(x)` and `self.layers[i](x)`."""
        uses: list[ast.AST] = []
        for node in self._attributes(name):
            parent = self.parents[node]
            if isinstance(parent, ast.Subscript) and parent.value is node:
                uses.append(parent)
            elif isinstance(parent, ast.For) and parent.iter is node and isinstance(parent.target, ast.Name):
                scope = self._scope(parent)
                if scope is None:
                    return None
                uses += loads(scope.function, parent.target.id)
            else:
                return None
        return self._as_calls(uses)

    def _scope(self, node: ast.AST) -> Scope | None:
        """The function or method around the node; None at module level and in nested functions."""
        while not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Module)):
            node = self.parents[node]
        known = [item for item in self.source.definitions.values() if item.node is node]
        return Scope(self.source, known[0], node) if known and isinstance(node, ast.FunctionDef) else None

    def _drops(self, call: ast.Call, index: int, size: int, seen: frozenset[str]) -> bool:
        """Whether the caller reads other elements of the call's result alone."""
        parent, scope = self.parents[call], self._scope(call)
        match parent:
            case ast.Expr():
                return True
            case ast.Subscript(slice=chosen) if parent.value is call:
                return _other(chosen, index, size)
            case ast.Return() if scope is not None:
                return self.unread(scope.definition, index, size, seen)
            case ast.Assign(targets=[ast.Tuple(elts=elements)]) if scope is not None and len(elements) == size:
                target = elements[index]
                return isinstance(target, ast.Name) and self._forgotten(scope, parent, target.id, seen)
            case ast.Assign(targets=[ast.Name(id=name)]) if scope is not None:
                reads = loads(scope.function, name)
                return all(_chosen_other(self.parents[read], read, index, size) for read in reads)
            case _:
                return False

    def _forgotten(self, scope: Scope, statement: ast.stmt, name: str, seen: frozenset[str]) -> bool:
        """Whether the name is read by nobody, or returned to somebody who does not read it."""
        if not live_after(scope, statement, name):
            return True
        for read in loads(scope.function, name):
            holder = self.parents[read]
            if not isinstance(holder, ast.Tuple) or not isinstance(self.parents[holder], ast.Return):
                return False
            if not self.unread(scope.definition, holder.elts.index(read), len(holder.elts), seen):
                return False
        return True


def _other(chosen: ast.expr, index: int, size: int) -> bool:
    return isinstance(chosen, ast.Constant) and isinstance(chosen.value, int) and chosen.value % size != index


def _chosen_other(parent: ast.AST, read: ast.expr, index: int, size: int) -> bool:
    return isinstance(parent, ast.Subscript) and parent.value is read and _other(parent.slice, index, size)


def imported_elsewhere(path: str, word: str = "") -> bool:
    """Whether another Python file of the same project imports this one, and has the `word`; true, too, where they can't
    all be read."""
    here = Path(path)
    pattern = re.compile(rf"^\s*(from|import)\b.*\b{re.escape(here.stem)}\b", re.MULTILINE)
    if not here.is_file():
        return False
    try:
        others = list(islice(_beside(_project(here), here), _FILES + 1))
    except OSError:
        return True
    return len(others) > _FILES or any(_mentions(other, pattern, word) for other in others)


def _project(here: Path) -> Path:
    """The folder of the file's project: that of a repository or build file, else of its package, else its own."""
    for folder in islice(here.resolve().parents, _DEPTH):
        if any((folder / name).exists() for name in (".git", "pyproject.toml", "setup.py")):
            return folder
    top = here.parent
    while (top / "__init__.py").is_file() and top != top.parent:
        top = top.parent
    return top


def _beside(top: Path, here: Path) -> Iterator[Path]:
    hidden = re.compile(r"\.|__pycache__$|site-packages$|node_modules$")
    for item in sorted(top.iterdir()):
        if item.is_dir() and not item.is_symlink() and not hidden.match(item.name):
            yield from _beside(item, here)
        elif item.suffix == ".py" and not item.samefile(here):
            yield item


def _mentions(path: Path, pattern: re.Pattern[str], word: str) -> bool:
    try:
        if path.stat().st_size > _BYTES:
            return True
        text = path.read_text("utf-8", "replace")
    except OSError:
        return True
    return word in text and bool(pattern.search(text))


__all__ = ["Callers", "imported_elsewhere"]
