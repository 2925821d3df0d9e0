"""Where a script makes its optimizers, and where a schedule sets their rates."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_optimizers.rules.names import Names, dotted, own_nodes
from outpace_optimizers.source import Definition, FunctionNode, Source

ADAM = frozenset({"torch.optim.Adam", "torch.optim.AdamW"})


@dataclass(frozen=True, eq=False)
class Made:
    """One optimizer: its call, what it is given, and how the model is spelled there."""

    definition: Definition
    call: ast.Call
    params: ast.expr
    model: str
    adam: bool
    rate: str | None


@dataclass(frozen=True, eq=False)
class Rate:
    """`group["lr"] = value` that does not go by the group's own rate."""

    definition: Definition
    group: str
    value: ast.expr


def optimizers(source: Source, model: str) -> list[Made] | None:
    """All that the file's functions make; None where one can't be read, or stands outside of functions. `model` is the
    class of the model.
    """
    own = {f"{name}" for name, found in source.definitions.items() if _is_optimizer(source, found)}
    found: list[Made] = []
    seen: set[ast.AST] = set()
    for definition in source.definitions.values():
        if isinstance(definition.node, ast.ClassDef):
            continue
        names = Names(source, definition.node)
        for call in _calls(definition.node):
            name = names.resolve(call.func)
            if not (name or "").startswith("torch.optim.") and dotted(call.func) not in own:
                continue
            if (name or "").startswith("torch.optim.lr_scheduler."):
                continue
            made = _made(definition, call, model, name in ADAM)
            if made is None:
                return None
            found.append(made)
            seen.add(call)
    everywhere = {call for call in ast.walk(source.tree) if isinstance(call, ast.Call)}
    table = Names(source, _EMPTY)
    outside = [
        call
        for call in everywhere - seen
        if (table.resolve(call.func) in ADAM or dotted(call.func) in own) and not isinstance(call.func, ast.Call)
    ]
    return None if outside else found


_EMPTY = ast.FunctionDef("", ast.arguments([], [], None, [], [], None, []), [], [])


def _calls(function: FunctionNode) -> Iterator[ast.Call]:
    return (node for node in own_nodes(function) if isinstance(node, ast.Call))


def _is_optimizer(source: Source, definition: Definition) -> bool:
    node = definition.node
    if not isinstance(node, ast.ClassDef):
        return False
    names = Names(source, _EMPTY)
    return any(names.resolve(base) == "torch.optim.Optimizer" or dotted(base) == "Optimizer" for base in node.bases)


def _made(definition: Definition, call: ast.Call, model: str, adam: bool) -> Made | None:
    keywords = {item.arg: item.value for item in call.keywords if item.arg}
    params = call.args[0] if call.args else keywords.get("params")
    assert not isinstance(definition.node, ast.ClassDef)
    roots = {root for root in _roots(definition, model) if root}
    if params is None or isinstance(params, ast.Starred) or len(roots) != 1:
        return None
    rate = keywords.get("lr", call.args[1] if len(call.args) > 1 else None)
    return Made(definition, call, params, roots.pop(), adam, ast.unparse(rate) if rate is not None else None)


def _roots(definition: Definition, model: str) -> Iterator[str | None]:
    """What the function takes parameters of: `model` for `model.blocks.parameters()`, `self` within the model."""
    for call in _calls(definition.node):  # pyright: ignore[reportArgumentType]
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("parameters", "named_parameters"):
            continue
        name = dotted(call.func.value)
        if name is None:
            yield None
        elif name.split(".")[0] != "self":
            yield name.split(".")[0]
        elif definition.owner is not None and definition.owner.name == model:
            yield "self"
        else:
            yield ".".join(name.split(".")[:2])


def absolute_rates(source: Source) -> list[Rate]:
    """Assignments to the rate of every group of an optimizer."""
    return [
        Rate(definition, node.target.id, item.value)
        for definition in source.definitions.values()
        if not isinstance(definition.node, ast.ClassDef)
        for node in own_nodes(definition.node)
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name)
        if isinstance(node.iter, ast.Attribute) and node.iter.attr == "param_groups"
        for item in ast.walk(node)
        if isinstance(item, ast.Assign) and _sets_rate(item, node.target.id)
    ]


def _sets_rate(node: ast.Assign, group: str) -> bool:
    target = node.targets[0]
    sets = isinstance(target, ast.Subscript) and ast.unparse(target) == f"{group}['lr']"
    return sets and not any(isinstance(child, ast.Name) and child.id == group for child in ast.walk(node.value))
