"""What in a loop does not change with it: whole assignments, and expressions within statements."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .aliasing import Loop, aliases, changes_self, mutated, shared_root, shares
from .flow import changed, changes, loads, names_in
from .names import own_nodes
from .pure_ops import FREE, MAKERS, PURE
from .scope import Scope

_TRAINING = frozenset({"step", "backward", "zero_grad", "load_state_dict", "train", "eval", "set_", "copy_"})
_SCOPES = (
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
)
_PLAIN = (
    ast.Name, ast.Constant, ast.Attribute, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Subscript,
    ast.Tuple,
    ast.List, ast.Slice, ast.keyword, ast.operator, ast.unaryop, ast.cmpop, ast.expr_context, ast.Starred,
)  # fmt: skip


@dataclass(frozen=True)
class Hoist:
    """Before `loop`: the `statements` moved, and each expression's value under a new name."""

    loop: Loop
    statements: tuple[ast.stmt, ...]
    expressions: tuple[tuple[str, str, tuple[ast.expr, ...]], ...]


def hoists(scope: Scope) -> Iterator[Hoist]:
    """One hoist per loop, outermost loops first; what an outer loop takes, an inner one does not repeat."""
    taken: set[ast.AST] = set()
    for node in own_nodes(scope.function):
        if isinstance(node, (ast.For, ast.While)):
            found = Finder(scope, node, taken).find()
            if found is not None:
                taken |= {item for statement in found.statements for item in ast.walk(statement)}
                taken |= {item for _, _, nodes in found.expressions for top in nodes for item in ast.walk(top)}
                yield found


class Finder:
    def __init__(self, scope: Scope, loop: Loop, taken: set[ast.AST]) -> None:
        self.scope = scope
        self.loop = loop
        self.taken = taken
        self.variant = changed(loop)
        self.trains = any(
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _TRAINING
            for node in ast.walk(loop)
        )
        self.mutated = mutated(loop)
        self.variant |= aliases(scope, self.mutated)
        if changes_self(scope, loop):
            self.variant.add(scope.self_name or "")

    def find(self) -> Hoist | None:
        if self.loop.orelse:
            return None
        statements = self.statements()
        expressions: dict[str, list[ast.expr]] = {}
        for statement in self.loop.body:
            if statement not in statements:
                for node in self.candidates(statement):
                    expressions.setdefault(self.scope.text(node), []).append(node)
        statements = self.needed(statements, [nodes[0] for nodes in expressions.values()])
        if not statements and not expressions:
            return None
        named = tuple(
            (self.scope.names.fresh(name_for(nodes[0])), text, tuple(nodes)) for text, nodes in expressions.items()
        )
        return Hoist(self.loop, tuple(statements), named)

    def statements(self) -> list[ast.Assign]:
        """Assignments at the top of the body whose value is invariant, in order; each may make the
        next one so.
        """
        found: list[ast.Assign] = []
        for statement in self.loop.body:
            if not isinstance(statement, ast.Assign) or len(statement.targets) != 1 or statement in self.taken:
                continue
            target = statement.targets[0]
            if (
                not isinstance(target, ast.Name)
                or not self.invariant(statement.value)
                or not self.bound_once(target.id)
            ):
                continue
            if self.read_before(statement, target.id) or self.read_outside(target.id):
                continue
            if not self.escapes(statement, target.id):
                found.append(statement)
                self.variant.discard(target.id)
        return found

    def needed(self, statements: list[ast.Assign], readers: list[ast.expr]) -> list[ast.Assign]:
        """Without the moves that cost nothing and that no other move reads."""
        kept: list[ast.Assign] = []
        names = {name for node in readers for name in names_in(node)}
        for statement in reversed(statements):
            if self.costs(statement.value) or changed(statement) & names:
                kept.insert(0, statement)
                names |= names_in(statement.value)
        return kept

    def read_outside(self, name: str) -> bool:
        """Whether a zero-trip loop would leave an earlier value that somebody reads."""
        inside = set(ast.walk(self.loop))
        return any(
            isinstance(node, ast.Name) and node.id == name and node not in inside
            for node in ast.walk(self.scope.function)
        )

    def bound_once(self, name: str) -> bool:
        return sum(name in set(changes(node)) for node in ast.walk(self.loop)) == 1

    def read_before(self, statement: ast.stmt, name: str) -> bool:
        index = self.loop.body.index(statement)
        heads = [self.loop.test] if isinstance(self.loop, ast.While) else []
        return any(loads(node, name) for node in [*heads, *self.loop.body[:index]])

    def candidates(self, node: ast.AST) -> Iterator[ast.expr]:
        """Maximal invariant expressions that cost something, at places that every iteration reaches."""
        if isinstance(node, (*_SCOPES, ast.If, ast.Try, ast.Match, ast.Return, ast.Delete)) or node in self.taken:
            return
        if isinstance(node, (ast.With, ast.AsyncWith)):
            return
        if isinstance(node, ast.expr) and self.invariant(node) and self.costs(node):
            if not self.kept(node):
                yield node
            return
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, (ast.IfExp, ast.BoolOp)):
            children = children[:1] if isinstance(node, ast.IfExp) else [node.values[0]]
        for child in children:
            yield from self.candidates(child)

    def invariant(self, node: ast.expr) -> bool:
        """Pure, and every name it reads keeps its value through the loop."""
        for child in ast.walk(node):
            if not isinstance(child, _PLAIN) or child in self.taken:
                return False
            if isinstance(child, ast.Name) and child.id in self.variant:
                return False
            if isinstance(child, ast.Call) and not self.pure(child):
                return False
        if isinstance(node, (ast.Starred, ast.Slice)):
            return False
        return not self.trains or self.made_of_numbers(node)

    def made_of_numbers(self, node: ast.expr) -> bool:
        """A constructor of numbers and sizes: no parameter, no graph."""
        for child in ast.walk(node):
            if isinstance(child, ast.Call):
                call = self.scope.names.call(child)
                name = call[0] if call else ""
                if name not in MAKERS and name not in (
                    "torch.tril",
                    "torch.triu",
                    ".tril",
                    ".triu",
                    ".bool",
                    ".size",
                ):
                    return False
                if name in MAKERS and "requires_grad" in (call[2] if call else {}):
                    return False
        return isinstance(node, ast.Call)

    def pure(self, node: ast.Call) -> bool:
        call = self.scope.names.call(node)
        if call is None:
            return isinstance(node.func, ast.Name) and node.func.id in ("len", "float", "int", "min", "max")
        name, _, keywords = call
        if name.startswith(".") and isinstance(node.func, ast.Attribute) and _is_self(node.func.value):
            return False  # a layer that is called as a tensor's method is: it may have a state
        if "out" in keywords or "inplace" in keywords or "generator" in keywords or "requires_grad" in keywords:
            return False
        return name in PURE or name.startswith("math.")

    def costs(self, node: ast.expr) -> bool:
        """Whether computing it launches work: any call that is not only a view, or a product of matrices."""
        for child in ast.walk(node):
            if isinstance(child, ast.BinOp) and isinstance(child.op, ast.MatMult):
                return True
            if isinstance(child, ast.Call):
                call = self.scope.names.call(child)
                if call is not None and call[0] not in FREE and not call[0].startswith("math."):
                    return True
        return False

    def kept(self, node: ast.expr) -> bool:
        """Whether this very tensor is kept by somebody who may change it, or who needs a fresh one
        each time.
        """
        child: ast.AST = node
        parent = self.scope.parents.get(child)
        while isinstance(parent, (ast.Attribute, ast.Call, ast.Subscript)) and shares(self.scope, parent, child):
            child, parent = parent, self.scope.parents.get(parent)
        if isinstance(parent, ast.Attribute):
            return parent.attr.endswith("_")
        if isinstance(parent, ast.Assign):
            target = parent.targets[0]
            if parent.value is not child:
                return False
            return len(parent.targets) != 1 or not isinstance(target, ast.Name) or self.escapes(parent, target.id)
        if isinstance(parent, ast.Call):
            call = self.scope.names.call(parent)
            return call is None or call[0] not in PURE
        return isinstance(parent, (ast.Tuple, ast.List, ast.Dict, ast.Expr, ast.Yield, ast.Starred, ast.keyword))

    def escapes(self, statement: ast.stmt, name: str) -> bool:
        """Whether the name, or a view of it, is mutated or handed on in the loop."""
        group = {name}
        size = 0
        while size != len(group):
            size = len(group)
            for node in ast.walk(self.loop):
                if (
                    isinstance(node, ast.Assign)
                    and node is not statement
                    and shared_root(self.scope, node.value) in group
                ):
                    group |= {item for target in node.targets for item in names_in(target)}
        if group & self.mutated:
            return True
        for node in ast.walk(self.loop):
            if isinstance(node, ast.Name) and node.id in group and isinstance(node.ctx, ast.Load) and self.handed(node):
                return True
        return False

    def handed(self, node: ast.Name) -> bool:
        """Whether the load puts the tensor into a container, a store or an unknown call by method."""
        parent = self.scope.parents.get(node)
        if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute):
            return parent.func.attr in ("append", "extend", "insert", "add", "update", "put", "setdefault")
        return isinstance(parent, (ast.List, ast.Dict, ast.Set, ast.Yield, ast.Return))


def name_for(node: ast.expr) -> str:
    """A readable name for the value: `mask_tril`, `weight_float`, `arange`."""
    word = ""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        word = node.func.attr
        base = node.func.value
        owner = base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""
        plain = word in ("to", "float", "half", "bfloat16", "double", "type", "contiguous")
        word = f"{owner}_{'cast' if word == 'to' else word}" if plain and owner else word
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        word = node.func.id
    return f"{word.strip('_') or 'invariant'}_once" if "_" not in word.strip("_") else word.strip("_")


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"
