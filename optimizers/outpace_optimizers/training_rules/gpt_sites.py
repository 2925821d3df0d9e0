"""Finds the parts of a GPT in a script by what they do, not by what they are called."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_optimizers.rules.names import Names, dotted, own_nodes, words
from outpace_optimizers.source import FunctionNode, Source

ATTENTION = "torch.nn.functional.scaled_dot_product_attention"
_LAYOUT = words("view reshape transpose permute contiguous to type_as unflatten movedim float half bfloat16")
"""Methods that leave a tensor the same values, in another order or type."""


@dataclass(frozen=True, eq=False)
class Value:
    """Where an attention's values are made: `self.projection(x)`. With `parts` of them in one projection, the statement
    `split` names the last part `name`.
    """

    projection: str
    call: ast.Call
    x: str
    statement: ast.stmt
    parts: int = 1
    name: str = ""


@dataclass(frozen=True, eq=False)
class Attention:
    """A module with self-attention, and where its values are made."""

    owner: ast.ClassDef
    made: ast.stmt
    """The statement of the constructor that makes the projection."""
    forward: FunctionNode
    value: Value


@dataclass(frozen=True, eq=False)
class Layer:
    """A block: `calls` are those of the attention that it holds as `attribute`."""

    owner: ast.ClassDef
    forward: FunctionNode
    attribute: str
    calls: list[ast.Call]


@dataclass(frozen=True, eq=False)
class Model:
    """The module with the token embedding and the blocks. `blocks` is how it spells them, `made` the statement of its
    constructor after which they exist, `tokens` the parameter of forward that is embedded.
    """

    owner: ast.ClassDef
    constructor: FunctionNode
    forward: FunctionNode
    blocks: str
    made: ast.stmt
    tokens: str
    loop: ast.For
    """The one over the blocks."""
    calls: list[ast.Call]


@dataclass(frozen=True, eq=False)
class Gpt:
    attention: Attention
    layer: Layer
    model: Model


def find_gpt(source: Source) -> Gpt | None:
    """The only one of its kind in the file; None where a part is missing or there are several."""
    classes = [node for node in source.tree.body if isinstance(node, ast.ClassDef)]
    attentions = [found for node in classes if (found := _attention(source, node)) is not None]
    if len(attentions) != 1:
        return None
    layers = [found for node in classes if (found := _layer(node, attentions[0].owner.name)) is not None]
    if len(layers) != 1:
        return None
    models = [found for node in classes if (found := _model(source, node, layers[0].owner.name)) is not None]
    return Gpt(attentions[0], layers[0], models[0]) if len(models) == 1 else None


def method(owner: ast.ClassDef, name: str) -> FunctionNode | None:
    return next((node for node in owner.body if isinstance(node, ast.FunctionDef) and node.name == name), None)


def calls_in(node: ast.AST) -> Iterator[ast.Call]:
    return (child for child in own_nodes(node) if isinstance(child, ast.Call))


def of_self(node: ast.expr) -> str | None:
    """`a.b` for `self.a.b`."""
    name = dotted(node)
    return name.removeprefix("self.") if name is not None and name.startswith("self.") else None


def _attention(source: Source, owner: ast.ClassDef) -> Attention | None:
    forward = method(owner, "forward")
    if forward is None or method(owner, "__init__") is None:
        return None
    values: list[ast.expr] = []
    names = Names(source, forward)
    for call in calls_in(forward):
        if names.resolve(call.func) == ATTENTION:
            keywords = [item.value for item in call.keywords if item.arg == "value"]
            values += call.args[2:3] or keywords
    places = {_traced(forward, value) for value in values}
    place = next(iter(places)) if len(places) == 1 else None
    if place is None:
        return None
    made = _linears(source, owner).get(place.projection)
    return Attention(owner, made, forward, place) if made is not None else None


def _linears(source: Source, owner: ast.ClassDef) -> dict[str, ast.stmt]:
    """Attributes that the constructor makes linear layers of torch, and the statements that do."""
    constructor = method(owner, "__init__")
    assert constructor is not None
    names = Names(source, constructor)
    return {
        name: node
        for node in constructor.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        for target in node.targets
        if (name := of_self(target)) and names.resolve(node.value.func) == "torch.nn.Linear"
    }


class _Trace:
    """Follows a name back through a function's plain assignments."""

    def __init__(self, forward: FunctionNode) -> None:
        self.body = forward.body

    def before(self, line: int, name: str) -> tuple[ast.Assign, ast.expr, int | None, int] | None:
        """The last assignment to `name` above `line`: its statement, value, place in a tuple, and the tuple's size."""
        for node in reversed(self.body):
            if node.lineno >= line:
                continue
            if not isinstance(node, ast.Assign) or len(node.targets) != 1:
                if _stores(node, name, line):
                    return None
                continue
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == name:
                return node, node.value, None, 1
            if isinstance(target, ast.Tuple):
                names = [item.id if isinstance(item, ast.Name) else "" for item in target.elts]
                if name in names:
                    place = names.index(name)
                    if isinstance(node.value, ast.Tuple) and len(node.value.elts) == len(names):
                        return node, node.value.elts[place], None, 1
                    return node, node.value, place, len(names)
        return None


def _stores(node: ast.stmt, name: str, line: int) -> bool:
    """Whether the name may get another value in a branch, a loop or the like above `line`."""
    names = (child for child in ast.walk(node) if isinstance(child, ast.Name) and child.id == name)
    return any(isinstance(child.ctx, ast.Store) and child.lineno < line for child in names)


def _traced(forward: FunctionNode, value: ast.expr) -> Value | None:
    """Back from what the attention is given to the projection that made it."""
    trace, line, name = _Trace(forward), value.lineno, ""
    made: ast.Assign | None = None
    parts = 1
    for _ in range(32):
        if isinstance(value, ast.Name):
            found = trace.before(line, value.id)
            if found is None or (parts > 1 and found[2] is not None):
                return None
            statement, value, place, size = found
            line = statement.lineno
            if parts == 1:
                made, parts = statement, size
                name = _last_name(statement) if place is not None else ""
                if place is not None and (place, size) != (2, 3):
                    return None
        elif isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            projection = of_self(value.func)
            if projection is not None:
                return _projected(value, projection, made, parts, name)
            if not (_in_thirds(value) if parts > 1 else value.func.attr in _LAYOUT):
                return None
            value = value.func.value
        else:
            return None
    return None


def _last_name(statement: ast.Assign) -> str:
    """Of a tuple that is assigned to."""
    target = statement.targets[0]
    last = target.elts[-1] if isinstance(target, ast.Tuple) else target
    return last.id if isinstance(last, ast.Name) else ""


def _in_thirds(call: ast.Call) -> bool:
    """`x.split(width, dim=2)` or `x.chunk(3, dim=-1)`: parts of one width, along the last of three dimensions."""
    assert isinstance(call.func, ast.Attribute)
    dims = [*call.args[1:2], *(item.value for item in call.keywords if item.arg == "dim")]
    last = len(dims) == 1 and ast.unparse(dims[0]) in ("2", "-1")
    even = bool(call.args) and not isinstance(call.args[0], (ast.List, ast.Tuple))
    return call.func.attr in ("split", "chunk") and last and even


def _projected(call: ast.Call, projection: str, made: ast.Assign | None, parts: int, name: str) -> Value | None:
    if made is None or len(call.args) != 1 or call.keywords or not isinstance(call.args[0], ast.Name):
        return None
    return Value(projection, call, call.args[0].id, made, parts, name)


def _layer(owner: ast.ClassDef, attention: str) -> Layer | None:
    constructor, forward = method(owner, "__init__"), method(owner, "forward")
    if constructor is None or forward is None:
        return None
    held = [
        name
        for node in own_nodes(constructor)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and dotted(node.value.func) == attention
        for target in node.targets
        if (name := of_self(target))
    ]
    if len(held) != 1:
        return None
    calls = [call for call in calls_in(forward) if of_self(call.func) == held[0]]
    named = [node for node in own_nodes(forward) if isinstance(node, ast.Attribute) and of_self(node) == held[0]]
    return Layer(owner, forward, held[0], calls) if calls and len(named) == len(calls) else None


def _model(source: Source, owner: ast.ClassDef, layer: str) -> Model | None:
    constructor, forward = method(owner, "__init__"), method(owner, "forward")
    if constructor is None or forward is None:
        return None
    names = Names(source, constructor)
    made = [
        node
        for node in constructor.body
        if any(names.resolve(call.func) == "torch.nn.ModuleList" for call in calls_in(node))
        and any(dotted(call.func) == layer for call in calls_in(node))
    ]
    loops = [found for node in own_nodes(forward) if (found := _loop(node)) is not None]
    tokens = _embedded(forward)
    if len(made) != 1 or len(loops) != 1 or tokens is None:
        return None
    blocks, loop, calls = loops[0]
    return Model(owner, constructor, forward, blocks, made[0], tokens, loop, calls)


def _loop(node: ast.AST) -> tuple[str, ast.For, list[ast.Call]] | None:
    """`for block in self.blocks:` whose body calls `block(...)`, also with `enumerate`."""
    if not isinstance(node, ast.For):
        return None
    over, target = node.iter, node.target
    if isinstance(over, ast.Call) and dotted(over.func) == "enumerate" and isinstance(target, ast.Tuple):
        over, target = over.args[0], target.elts[1]
    blocks = of_self(over)
    if blocks is None or not isinstance(target, ast.Name):
        return None
    calls = [call for item in node.body for call in calls_in(item) if dotted(call.func) == target.id]
    used = [child for item in node.body for child in ast.walk(item) if isinstance(child, ast.Name)]
    count = sum(child.id == target.id for child in used)
    return (f"self.{blocks}", node, calls) if calls and count == len(calls) else None


def _embedded(forward: FunctionNode) -> str | None:
    """The parameter that goes straight into a module of its own: the first such call, as the embedding comes first."""
    parameters = {item.arg for item in forward.args.args[1:]}
    for call in sorted(calls_in(forward), key=lambda call: (call.lineno, call.col_offset)):
        name = call.args[0].id if len(call.args) == 1 and isinstance(call.args[0], ast.Name) else None
        if of_self(call.func) is not None and name in parameters:
            return name
    return None
