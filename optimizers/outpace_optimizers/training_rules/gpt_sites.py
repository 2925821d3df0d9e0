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
_SOFTMAX = frozenset({"torch.softmax", "torch.nn.functional.softmax"})
_PRODUCTS = frozenset({"torch.matmul", "torch.bmm"})
_BY_ROW = words("torch.nn.functional.rms_norm torch.nn.functional.layer_norm torch.nn.functional.normalize")
"""Functions that give each place of a sequence what comes of its own values."""


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
    run: ast.For | ast.Assign
    """The loop over the blocks; or `x = self.blocks(x)`, where they are an nn.Sequential."""
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
    tracer = _Tracer(source, forward)
    places = [tracer.value(value) for value in _attended(forward, tracer.names)]
    place = next(iter(places), None)
    if place is None or any(one is None or one.call is not place.call for one in places):
        return None
    made = _linears(source, owner).get(place.projection)
    return Attention(owner, made, forward, place) if made is not None else None


def _attended(forward: FunctionNode, names: Names) -> Iterator[ast.expr]:
    """What attention takes its values from: in a call of the library, or by a product with a softmax."""
    for node in own_nodes(forward):
        if isinstance(node, ast.Call) and names.resolve(node.func) == ATTENTION:
            yield from node.args[2:3] or [item.value for item in node.keywords if item.arg == "value"]
        elif isinstance(node, ast.Call) and names.resolve(node.func) in _PRODUCTS and len(node.args) == 2:
            yield from node.args[1:] if _weights(forward, node.args[0], names) else ()
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult) and _weights(forward, node.left, names):
            yield node.right


def _weights(forward: FunctionNode, node: ast.expr, names: Names) -> bool:
    """Whether these are the probabilities of a softmax."""
    name = node.id if isinstance(node, ast.Name) else None
    made = (one.value for one in own_nodes(forward) if isinstance(one, ast.Assign) and _names_one(one, name))
    return any(_softmax(call, names) for value in (node, *made) for call in ast.walk(value))


def _names_one(node: ast.Assign, name: str | None) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)


def _softmax(node: ast.AST, names: Names) -> bool:
    if not isinstance(node, ast.Call):
        return False
    method = isinstance(node.func, ast.Attribute) and node.func.attr == "softmax"
    return method or names.resolve(node.func) in _SOFTMAX


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


class _Tracer:
    """Follows values back through a function's statements, to the projection that made them."""

    def __init__(self, source: Source, forward: FunctionNode) -> None:
        self.body, self.names = forward.body, Names(source, forward)
        self.functions = {node.name for node in source.tree.body if isinstance(node, ast.FunctionDef)}

    def value(self, value: ast.expr) -> Value | None:
        line, name = value.lineno, ""
        made: ast.Assign | None = None
        parts = 1
        for _ in range(32):
            if isinstance(value, ast.Name):
                found = self._before(line, value.id)
                if found is None or (parts > 1 and found[2] is not None):
                    return None
                statement, value, place, size = found
                line = statement.lineno
                if parts == 1:
                    made, parts = statement, size
                    name = _last_name(statement) if place is not None else ""
                    if place is not None and (place, size) != (2, 3):
                        return None
            elif isinstance(value, ast.Call):
                projection = of_self(value.func)
                if projection is not None:
                    return _projected(value, projection, made, parts, name)
                inner = self._within(value, parts)
                if inner is None:
                    return None
                value = inner
            else:
                return None
        return None

    def _within(self, call: ast.Call, parts: int) -> ast.expr | None:
        """What a call leaves in its place: in another layout, normalised, or once for each head of a group."""
        if self._by_row(call):
            return call.args[0] if parts == 1 else None
        if not isinstance(call.func, ast.Attribute):
            return None
        fits = _in_thirds(call) if parts > 1 else call.func.attr in _LAYOUT
        return call.func.value if fits else None

    def _by_row(self, call: ast.Call) -> bool:
        own = isinstance(call.func, ast.Name) and call.func.id in self.functions
        rest = [*call.args[1:], *(item.value for item in call.keywords)]
        fixed = all(isinstance(one, ast.Constant) or (own and of_self(one) is not None) for one in rest)
        if own:
            return bool(call.args) and fixed
        return (self.names.resolve(call.func) or "") in _BY_ROW and bool(call.args)

    def _before(self, line: int, name: str) -> tuple[ast.Assign, ast.expr, int | None, int] | None:
        """The last assignment to `name` above `line`: its statement, value, place in a tuple, and the tuple's size.
        One in a branch is passed over where it adds to the name and does no more.
        """
        for node in reversed(self.body):
            if node.lineno >= line:
                continue
            if not isinstance(node, ast.Assign) or len(node.targets) != 1:
                if _stores(node, name, line) and not _adds(node, name):
                    return None
                continue
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == name and not _adds(node, name):
                return node, node.value, None, 1
            if isinstance(target, ast.Tuple):
                names = [item.id if isinstance(item, ast.Name) else "" for item in target.elts]
                if name in names:
                    place = names.index(name)
                    if isinstance(node.value, ast.Tuple) and len(node.value.elts) == len(names):
                        return node, node.value.elts[place], None, 1
                    return node, node.value, place, len(names)
        return None


def _adds(node: ast.stmt, name: str) -> bool:
    """Whether all that a statement does to a name is `name = name + ...`, or `name += ...`."""
    for child in ast.walk(node):
        if isinstance(child, ast.Assign) and any(_stored(target, name) for target in child.targets):
            if not _is_sum_with(child.value, name):
                return False
        elif isinstance(child, ast.AugAssign) and _stored(child.target, name):
            if not isinstance(child.op, ast.Add):
                return False
        elif isinstance(child, (ast.For, ast.With, ast.AnnAssign, ast.NamedExpr)) and name in _bound(child):
            return False
    return _stores(node, name, (node.end_lineno or node.lineno) + 1)


def _is_sum_with(node: ast.expr, name: str) -> bool:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add):
        return False
    return any(isinstance(one, ast.Name) and one.id == name for one in (node.left, node.right))


def _stored(target: ast.expr, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(target))


def _bound(node: ast.For | ast.With | ast.AnnAssign | ast.NamedExpr) -> set[str]:
    """What a statement binds itself, not in its body."""
    if isinstance(node, ast.With):
        targets = [item.optional_vars for item in node.items if item.optional_vars is not None]
    else:
        targets = [node.target]
    return {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}


def _stores(node: ast.stmt, name: str, line: int) -> bool:
    """Whether the name may get another value in a branch, a loop or the like above `line`."""
    names = (child for child in ast.walk(node) if isinstance(child, ast.Name) and child.id == name)
    return any(isinstance(child.ctx, ast.Store) and child.lineno < line for child in names)


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
        (node, held)
        for node in constructor.body
        for held in ("torch.nn.ModuleList", "torch.nn.Sequential")
        if any(names.resolve(call.func) == held for call in calls_in(node))
        and any(dotted(call.func) == layer for call in calls_in(node))
    ]
    tokens = _embedded(forward)
    if len(made) != 1 or tokens is None:
        return None
    statement, held = made[0]
    found = [one for node in own_nodes(forward) if (one := _loop(node)) is not None]
    if not found and held == "torch.nn.Sequential":
        found = [one for node in forward.body if (one := _in_one_call(node, statement)) is not None]
    if len(found) != 1:
        return None
    blocks, run, calls = found[0]
    return Model(owner, constructor, forward, blocks, statement, tokens, run, calls)


def _loop(node: ast.AST) -> tuple[str, ast.For | ast.Assign, list[ast.Call]] | None:
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


def _in_one_call(node: ast.stmt, made: ast.stmt) -> tuple[str, ast.For | ast.Assign, list[ast.Call]] | None:
    """`x = self.blocks(x)`, of what `made` sets to nothing but blocks: `nn.Sequential(*[Block() for ...])`."""
    if not isinstance(node, ast.Assign) or not isinstance(made, ast.Assign) or not isinstance(made.value, ast.Call):
        return None
    target, call, given = node.targets[0], node.value, made.value.args
    alike = len(given) == 1 and isinstance(given[0], ast.Starred)
    alike = alike and isinstance(given[0].value, (ast.ListComp, ast.GeneratorExp))  # pyright: ignore[reportAttributeAccessIssue]
    if not alike or not isinstance(target, ast.Name) or not isinstance(call, ast.Call) or len(call.args) != 1:
        return None
    blocks = of_self(call.func)
    held = blocks is not None and any(of_self(one) == blocks for one in made.targets)
    return (f"self.{blocks}", node, [call]) if held and not call.keywords else None


def _embedded(forward: FunctionNode) -> str | None:
    """The parameter that goes straight into a module of its own: the first such call, as the embedding comes first."""
    parameters = {item.arg for item in forward.args.args[1:]}
    for call in sorted(calls_in(forward), key=lambda call: (call.lineno, call.col_offset)):
        name = call.args[0].id if len(call.args) == 1 and isinstance(call.args[0], ast.Name) else None
        if of_self(call.func) is not None and name in parameters:
            return name
    return None
