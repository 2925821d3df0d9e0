"""What a name in the user's file means: import aliases resolved to canonical dotted names, and back."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_optimizers.source import FunctionNode, Source, module_level

_SYNONYMS = {
    "torch.concat": "torch.cat",
    "torch.concatenate": "torch.cat",
    "torch.func.vmap": "torch.vmap",
    "functorch.vmap": "torch.vmap",
    "torch.special.softmax": "torch.softmax",
    "torch.swapaxes": "torch.transpose",
    "torch.swapdims": "torch.transpose",
    "torch.functional.einsum": "torch.einsum",
    "torch.nn.modules.activation.Softmax": "torch.nn.Softmax",
}


def words(text: str) -> frozenset[str]:
    """The words of a text: how this package spells a long set of names."""
    return frozenset(text.split())


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below `node` in document order, nested functions and classes included as nodes but not
    entered.
    """
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            yield from own_nodes(child)


def dotted(node: ast.expr) -> str | None:
    """`a.b.c` as written, for a chain of attributes on a name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def imported(nodes: Iterator[ast.stmt] | list[ast.stmt]) -> dict[str, str]:
    """Local name -> canonical dotted name, for every import among `nodes`."""
    table: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    table[alias.asname] = alias.name
                else:
                    table[alias.name.split(".")[0]] = alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                table[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return table


def local_names(function: FunctionNode | ast.Lambda) -> set[str]:
    """Parameters and names bound in the function's own body (not imports)."""
    args = function.args
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    bound = {arg.arg for arg in every if arg is not None}
    for node in own_nodes(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            bound.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)):
            bound.add(node.name or "")
    return bound


class Names:
    """The names of one function: `enclosing` are the functions around it, outermost first."""

    def __init__(self, source: Source, function: FunctionNode, enclosing: tuple[FunctionNode, ...] = ()) -> None:
        self.table = imported(list(module_level(source.tree.body)))
        self.bound: set[str] = set()
        for scope in (*enclosing, function):
            self.bound |= local_names(scope)
            inner = imported([node for node in own_nodes(scope) if isinstance(node, ast.stmt)])
            self.table |= inner
            self.bound -= set(inner)
        self.used = set(source.words) | set(self.table) | set(source.definitions)

    def resolve(self, node: ast.expr) -> str | None:
        """`F.softmax` -> `torch.nn.functional.softmax`; None for anything that is not an imported name."""
        name = dotted(node)
        if name is None:
            return None
        head, dot, rest = name.partition(".")
        if head in self.bound or head not in self.table:
            return None
        full = self.table[head] + dot + rest
        return _SYNONYMS.get(full, full)

    def call(self, node: ast.AST) -> tuple[str, list[ast.expr], dict[str, ast.expr]] | None:
        """A call as (name, positional, keywords): `torch.f` for functions, `.f` for methods, receiver first.

        None for anything else and for calls with `*args` or `**kwargs`.
        """
        if not isinstance(node, ast.Call):
            return None
        if any(isinstance(arg, ast.Starred) for arg in node.args) or any(key.arg is None for key in node.keywords):
            return None
        keywords = {key.arg: key.value for key in node.keywords if key.arg is not None}
        name = self.resolve(node.func)
        if name is not None:
            if name.startswith("torch.Tensor."):
                name = name.removeprefix("torch.Tensor")
            return name, list(node.args), keywords
        if isinstance(node.func, ast.Attribute):
            return "." + node.func.attr, [node.func.value, *node.args], keywords
        return None

    def spell(self, full: str) -> tuple[str, str | None]:
        """How to write `full` (e.g. `torch.nn.functional.relu`) here, and the import line that this
        needs, if any.
        """
        best: str | None = None
        for alias, target in self.table.items():
            if alias in self.bound:
                continue
            if target == full or full.startswith(target + "."):
                text = alias + full[len(target) :]
                if best is None or text.count(".") < best.count("."):
                    best = text
        if best is not None:
            return best, None
        if "torch" not in self.used:
            return full, "import torch"
        return "_torch" + full.removeprefix("torch"), "import torch as _torch"

    def fresh(self, wanted: str) -> str:
        """`wanted`, or `wanted_2`, ...: a name that occurs nowhere in the file. Remembers what it gave."""
        name, count = wanted, 1
        while name in self.used or name in self.bound:
            count += 1
            name = f"{wanted}_{count}"
        self.used.add(name)
        return name
