"""The functions that a rule may edit, each with what its names and its `self` attributes mean."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from outpace_audit.records import Code
from outpace_optimizers.source import Definition, FunctionNode, Source, mentioned, parse, reached

from .names import Names, own_nodes

Block = list[ast.stmt]


@dataclass(frozen=True, eq=False)
class Scope:
    """One function, possibly nested in others, within one definition."""

    source: Source
    definition: Definition
    function: FunctionNode
    enclosing: tuple[FunctionNode, ...] = ()
    dropouts: frozenset[str] = frozenset()
    """Parameters that hold an `nn.Dropout` at every call."""

    @cached_property
    def names(self) -> Names:
        return Names(self.source, self.function, self.enclosing)

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self.function) for child in ast.iter_child_nodes(node)}

    @cached_property
    def self_name(self) -> str | None:
        """The first parameter of a method."""
        outer = (*self.enclosing, self.function)[0]
        args = [*outer.args.posonlyargs, *outer.args.args]
        return args[0].arg if self.definition.owner is not None and args else None

    @cached_property
    def attributes(self) -> dict[str, ast.expr]:
        """What `self.<name>` was set to, where it is set once, by assignment or `register_buffer`."""
        owner = self.definition.owner
        return class_attributes(self.source, owner) if owner is not None else {}

    @cached_property
    def constructor(self) -> Scope:
        """The class's own `__init__`, where there is one: what an attribute was set to means what it
        means there.
        """
        owner = self.definition.owner
        init = self.source.definitions.get(f"{owner.name}.__init__") if owner is not None else None
        if init is None or isinstance(init.node, ast.ClassDef):
            return self
        return Scope(self.source, init, init.node)

    @property
    def construction(self) -> Names:
        return self.constructor.names

    def of_numpy(self, *nodes: ast.expr) -> bool:
        """Whether something of numpy's is named in them."""
        named = (self.names.resolve(item) for node in nodes for item in ast.walk(node) if isinstance(item, ast.expr))
        return any((name or "").startswith("numpy") for name in named)

    def attribute(self, node: ast.expr) -> ast.expr | None:
        """What `node`, spelled `self.x`, was set to."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == self.self_name:
            return self.attributes.get(node.attr)
        return None

    def module(self, node: ast.expr) -> tuple[str, ast.Call] | None:
        """(`torch.nn.Linear`, its constructor call) where `node` is `self.x` and x was set to a module
        call.
        """
        made = self.attribute(node)
        names = self.construction
        if made is None:
            made, names = node, self.names
        if isinstance(made, ast.Call):
            name = names.resolve(made.func)
            return (name, made) if name is not None else None
        return None

    def own_layer(self, node: ast.expr) -> ast.ClassDef | None:
        """The class of the file whose instance `self.x` is."""
        made = self.attribute(node)
        name = made.func.id if isinstance(made, ast.Call) and isinstance(made.func, ast.Name) else ""
        found = self.source.definitions.get(name) if name not in self.construction.bound else None
        return found.node if found is not None and isinstance(found.node, ast.ClassDef) else None

    def layer(self, node: ast.expr) -> tuple[str, ast.Call] | None:
        """(`torch.nn.Linear`, its constructor call) of the layer `self.x`, or of `self.cell.x` where the file has the
        cell's class.
        """
        if not isinstance(node, ast.Attribute):
            return None
        if self.attribute(node) is not None:
            return self.module(node)
        owner = self.own_layer(node.value)
        init = self.source.definitions.get(f"{owner.name}.__init__") if owner is not None else None
        if init is None or isinstance(init.node, ast.ClassDef) or not init.node.args.args:
            return None
        own = ast.Attribute(ast.Name(init.node.args.args[0].arg, ast.Load()), node.attr, ast.Load())
        return Scope(self.source, init, init.node).layer(own)

    def text(self, node: ast.expr | ast.stmt) -> str:
        return self.source.segment(node)

    def block_of(self, node: ast.AST) -> tuple[Block, int] | None:
        """The statement list that holds the statement around `node`, and its index there."""
        statement: ast.AST | None = node
        while statement is not None and not isinstance(statement, ast.stmt):
            statement = self.parents.get(statement)
        holder = self.parents.get(statement) if statement is not None else None
        if holder is None or not isinstance(statement, ast.stmt):
            return None
        for name in ("body", "orelse", "finalbody"):
            block = getattr(holder, name, None)
            if isinstance(block, list) and statement in block:
                return block, block.index(statement)
        return None

    def blocks(self) -> Iterator[Block]:
        """Every statement list of the function, outermost first, nested functions not entered."""
        yield self.function.body
        for node in own_nodes(self.function):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
                continue
            for name in ("body", "orelse", "finalbody"):
                block = getattr(node, name, None)
                if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                    yield block


def class_attributes(source: Source, owner: ast.ClassDef, depth: int = 4) -> dict[str, ast.expr]:
    """`self.<name>` -> its one value in the class, else in its bases of the same file."""
    values: dict[str, list[ast.expr]] = {}
    for method in owner.body:
        if isinstance(method, ast.FunctionDef) and method.args.args:
            for name, value in _attribute_values(method, method.args.args[0].arg):
                values.setdefault(name, []).append(value)
    found = {name: made[0] for name, made in values.items() if len(made) == 1}
    for base in owner.bases if depth else []:
        parent = source.definitions.get(base.id) if isinstance(base, ast.Name) else None
        if parent is not None and isinstance(parent.node, ast.ClassDef):
            inherited = class_attributes(source, parent.node, depth - 1)
            found |= {name: value for name, value in inherited.items() if name not in values}
    return found


def _attribute_values(method: ast.FunctionDef, receiver: str) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(method):
        for name in _changed_in_place(node, receiver):
            yield name, ast.Constant(None)
            yield name, ast.Constant(None)
        if isinstance(node, ast.AugAssign):
            continue
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from _bound(target, node.value, receiver)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            plain = len(node.args) >= 2 and isinstance(node.args[0], ast.Constant)
            if node.func.attr in ("register_buffer", "register_parameter") and plain:
                yield str(node.args[0].value), node.args[1]  # type: ignore[union-attr]


def _changed_in_place(node: ast.AST, receiver: str) -> Iterator[str]:
    """Attributes that are no more what they were set to: `self.x += 1`, `self.x[i] = 0`, `self.x.view(-1).fill_(0)`."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.AugAssign):
        targets = [node.target]
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        given = node.targets if isinstance(node, ast.Assign) else [node.target]
        targets = [target for target in given if isinstance(target, ast.Subscript)]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        called = node.func.attr
        if called.endswith("_") and not called.startswith("_") and called != "requires_grad_":
            targets = [node.func.value]
    for target in targets:
        while not is_attribute(target, receiver):
            if isinstance(target, ast.Subscript) or (isinstance(target, ast.Attribute) and target.attr == "data"):
                target = target.value
            elif isinstance(target, ast.Call) and isinstance(target.func, ast.Attribute):
                target = target.func.value
            else:
                break
        else:
            yield target.attr  # type: ignore[attr-defined]


def _bound(target: ast.expr, value: ast.expr, receiver: str) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, (ast.Tuple, ast.List)):
        value = _of_each(value)
        pairs = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
        for index, item in enumerate(target.elts):
            yield from _bound(item, pairs[index] if len(pairs) == len(target.elts) else value, receiver)
    elif is_attribute(target, receiver):
        yield target.attr, value  # type: ignore[union-attr]


def _of_each(value: ast.expr) -> ast.expr:
    """`nn.Linear(n, n)` of `(nn.Linear(n, n) for _ in range(3))`: what is made anew for each, and alike."""
    match value:
        case ast.ListComp(elt=made) | ast.GeneratorExp(elt=made):
            walked = mentioned(ast.Tuple([item.target for item in value.generators]))[0]
            read = mentioned(made)[0]
            return value if walked & read or not isinstance(made, ast.Call) else made
        case _:
            return value


def is_attribute(node: ast.expr, receiver: str) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == receiver


def scopes(code: Code) -> Iterator[Scope]:
    """Every function that the target reaches, nested ones too; constructors are left out: they run once."""
    source = parse(code.path, code.source)
    for definition in reached(source, code.symbol):
        if isinstance(definition.node, ast.ClassDef) or definition.node.name in (
            "__init__",
            "reset_parameters",
        ):
            continue
        if not any(is_kernel(decorator) for decorator in definition.node.decorator_list):
            yield from _nested(source, definition, definition.node, ())


def _nested(
    source: Source, definition: Definition, function: FunctionNode, enclosing: tuple[FunctionNode, ...]
) -> Iterator[Scope]:
    yield Scope(source, definition, function, enclosing)
    for node in own_nodes(function):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _nested(source, definition, node, (*enclosing, function))


def is_kernel(decorator: ast.expr) -> bool:
    """`@triton.jit`, `@triton.autotune(...)`, `@cuda.jit`, `@gluon.jit`, ...: device code, not PyTorch."""
    text = ast.unparse(decorator)
    return any(word in text for word in ("triton", "cuda.jit", "autotune", "gluon", "cute.", "tilelang", "T.prim"))
