"""Experts that are layers of a list: their weights as one tensor each, and what their `forward` computes."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from outpace_optimizers.source import mentioned

from .expert_values import Fixed, Layer, Rows, Value
from .flow import changed
from .names import own_nodes
from .scope import Scope, class_attributes

if TYPE_CHECKING:
    from .expert_rows import RowReader

_LINEAR = ("in_features", "out_features", "bias")
_DEPTH = 4
"""Of layers within layers."""
_WIDTH = 36
"""Of what is written within another call."""


def listed(scope: Scope, node: ast.expr) -> Layer | None:
    """The layer of one expert, where `node` is `self.experts`, set once to a `ModuleList` of layers made alike."""
    made, names = scope.attribute(node), scope.construction
    if not isinstance(made, ast.Call) or names.resolve(made.func) != "torch.nn.ModuleList" or len(made.args) != 1:
        return None
    match made.args[0]:
        case ast.ListComp(elt=one, generators=[part]) | ast.GeneratorExp(elt=one, generators=[part]):
            walked = mentioned(part.target)[0] | {
                item.id for item in ast.walk(part.target) if isinstance(item, ast.Name)
            }
            alike = not walked & mentioned(one)[0] and not part.ifs
            return Layer(scope.text(node), "", one, scope.constructor) if alike else None
        case _:
            return None


def part(layer: Layer, name: str) -> Layer | Fixed | None:
    """`layer.name`; something that is no layer is the same for all experts, and of the first."""
    owner = _class(layer)
    made = class_attributes(layer.scope.source, owner).get(name) if owner is not None else None
    init = layer.scope.source.definitions.get(f"{owner.name}.__init__") if owner is not None else None
    if made is None or init is None or isinstance(init.node, ast.ClassDef):
        return None
    return Layer(layer.layers, f"{layer.path}.{name}", made, Scope(layer.scope.source, init, init.node))


def _class(layer: Layer) -> ast.ClassDef | None:
    """The class of the file that the layer is made of."""
    made = layer.made
    name = made.func.id if isinstance(made, ast.Call) and isinstance(made.func, ast.Name) else ""
    found = layer.scope.source.definitions.get(name) if name not in layer.scope.names.bound else None
    return found.node if found is not None and isinstance(found.node, ast.ClassDef) else None


def called(reader: RowReader, node: ast.Call, layer: Layer) -> Value | None:
    """`layer(rows)`."""
    if len(node.args) != 1 or node.keywords:
        return None
    value = reader.value(node.args[0])
    if not isinstance(value, Rows) or value.lead:
        return None
    text = _result(reader, layer, reader.written.text(node.args[0]), _DEPTH)
    if text is None:
        return None
    if len(text) > _WIDTH and not isinstance(reader.scope.parents[node], ast.stmt):
        text = bound(reader, layer.path.rpartition(".")[2] or "rows", text)
    reader.written.put(node, text)
    return Rows()


def _result(reader: RowReader, layer: Layer, rows: str, depth: int) -> str | None:
    from .expert_rows import is_activation

    made = layer.made
    if is_activation(layer.scope, made):
        return f"{layer.layers}[0]{layer.path}({rows})"
    if not isinstance(made, ast.Call) or not depth:
        return None
    name = layer.scope.names.resolve(made.func)
    if name == "torch.nn.Linear":
        return _linear(reader, layer, made, rows)
    if name == "torch.nn.Sequential":
        return _in_turn(reader, layer, made.args, rows, depth) if not made.keywords else None
    owner = _class(layer)
    return _forward(reader, layer, owner, rows, depth) if owner is not None else None


def _linear(reader: RowReader, layer: Layer, made: ast.Call, rows: str) -> str | None:
    given = dict(zip(_LINEAR, made.args, strict=False)) | {str(key.arg): key.value for key in made.keywords}
    bias = given.get("bias", ast.Constant(True))
    if (
        set(given) - {*_LINEAR, "device", "dtype"}
        or len(made.args) > len(_LINEAR)
        or not isinstance(bias, ast.Constant)
    ):
        return None
    weight = _stacked(reader, layer, "weight")
    return reader.grouped(rows, weight, _stacked(reader, layer, "bias") if bias.value else None)


def _stacked(reader: RowReader, layer: Layer, name: str) -> str:
    """The name of what all experts' layers have under `name`, as one tensor."""
    names = reader.outermost.names
    text = f"{names.spell('torch.stack')[0]}([expert{layer.path}.{name} for expert in {layer.layers}])"
    if text not in reader.written.stacks:
        kind = layer.path.rpartition(".")[2].partition("[")[0] or "expert"
        reader.written.stacks[text] = names.fresh(f"{kind}_{name}s" if name == "weight" else f"{kind}_biases")
    return reader.written.stacks[text]


def _in_turn(reader: RowReader, layer: Layer, layers: Sequence[ast.expr], rows: str, depth: int) -> str | None:
    text: str | None = rows
    for index, made in enumerate(layers):
        inner = Layer(layer.layers, f"{layer.path}[{index}]", made, layer.scope)
        if text is not None and len(text) > _WIDTH:
            text = bound(reader, "rows", text)
        text = _result(reader, inner, text, depth - 1) if text is not None else None
    return text


def bound(reader: RowReader, wanted: str, text: str) -> str:
    """A name for what the text computes, from in front of the statement on."""
    name = reader.outermost.names.fresh(wanted)
    reader.written.before.append(f"{name} = {text}")
    return name


def _forward(reader: RowReader, layer: Layer, owner: ast.ClassDef, rows: str, depth: int) -> str | None:
    """What `forward` returns, after what it does before in `reader.written.before`."""
    found = layer.scope.source.definitions.get(f"{owner.name}.forward")
    bases = {ast.unparse(base).rpartition(".")[2] for base in owner.bases}
    if found is None or not isinstance(found.node, ast.FunctionDef) or bases != {"Module"} or found.node.decorator_list:
        return None
    function, args = found.node, found.node.args
    if len(args.args) != 2 or args.posonlyargs or args.kwonlyargs or args.vararg or args.kwarg or args.defaults:
        return None
    said = function.body[0]
    documented = isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant)
    *steps, last = function.body[documented:] or [said]
    if not isinstance(last, ast.Return) or last.value is None:
        return None
    inner = Scope(layer.scope.source, found, function)
    return _Inlined(reader, layer, inner, rows).result(steps, last.value)


class _Inlined:
    """One expert's `forward`, under names that are free where it is put."""

    def __init__(self, outer: RowReader, layer: Layer, scope: Scope, rows: str) -> None:
        from .expert_rows import RowReader

        self.outer = outer
        own, given = (item.arg for item in scope.function.args.args)
        self.bound = {given} | {name for item in scope.function.body for name in changed(item)}
        known: dict[str, Value] = {own: layer}
        self.reader = RowReader(scope, outer.written, known, self.bound | {own}, frozenset(), outer.outermost)
        self.names = {given: rows if rows.isidentifier() else bound(outer, "rows", rows)}
        known[given] = Rows()

    def result(self, steps: Sequence[ast.stmt], last: ast.expr) -> str | None:
        if self._globals() & self.outer.outermost.names.bound:
            return None
        for step in steps:
            target = step.targets[0] if isinstance(step, ast.Assign) and len(step.targets) == 1 else None
            if not isinstance(step, ast.Assign) or not isinstance(target, ast.Name):
                return None
            value = self._value(step.value)
            if not isinstance(value, (Rows, Fixed)):
                return None
            text = self.outer.written.text(step.value)
            self.names[target.id] = bound(self.outer, target.id, text)
            self.reader.known[target.id] = value
        value = self._value(last)
        return self.outer.written.text(last) if isinstance(value, Rows) and not value.lead else None

    def _globals(self) -> set[str]:
        read = {item.id for item in own_nodes(self.reader.scope.function) if isinstance(item, ast.Name)}
        return read - self.bound - {self.reader.scope.self_name or ""}

    def _value(self, node: ast.expr) -> Value | None:
        for item in ast.walk(node):
            if isinstance(item, ast.Name) and item.id in self.names:
                self.outer.written.put(item, self.names[item.id])
        return self.reader.value(node)
