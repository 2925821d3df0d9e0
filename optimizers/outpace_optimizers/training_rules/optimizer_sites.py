"""Where a script makes its optimizers, and where a schedule sets their rates."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_optimizers.rules.names import Names, dotted
from outpace_optimizers.source import Definition, Source

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
    """All that the file's functions make; None where one can't be read, or is made elsewhere. `model` is the class of
    the model.
    """
    own = {name for name, found in source.definitions.items() if _is_optimizer(source, found)}
    makes = [call for call in _calls(source.tree) if _makes(Names(source, _EMPTY), call, own)]
    found: list[Made] = []
    for definition in source.definitions.values():
        if isinstance(definition.node, ast.ClassDef):
            continue
        names = Names(source, definition.node)
        for call in _calls(definition.node):
            if not _makes(names, call, own):
                continue
            made = _made(definition, call, model, names.resolve(call.func) in ADAM)
            if made is None:
                return None
            found.append(made)
    return found if len(found) == len(makes) else None


_EMPTY = ast.FunctionDef("", ast.arguments([], [], None, [], [], None, []), [], [])


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _makes(names: Names, call: ast.Call, own: set[str]) -> bool:
    """Calls a class of torch.optim, or an optimizer of the file."""
    name = names.resolve(call.func) or ""
    return (name.startswith("torch.optim.") and name.count(".") == 2) or dotted(call.func) in own


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
    for call in _calls(definition.node):
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


def absolute_rates(source: Source) -> list[Rate] | None:
    """Assignments to the rate of every group of an optimizer; None where one stands outside of functions."""
    functions = [one for one in source.definitions.values() if not isinstance(one.node, ast.ClassDef)]
    found = [Rate(one, group, value) for one in functions for group, value in _rates(one.node)]
    return found if len(found) == len(list(_rates(source.tree))) else None


def _rates(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        over = node.iter if isinstance(node, ast.For) else None
        if not isinstance(node, ast.For) or not isinstance(node.target, ast.Name):
            continue
        if isinstance(over, ast.Attribute) and over.attr == "param_groups":
            group = node.target.id
            sets = (item for item in ast.walk(node) if isinstance(item, ast.Assign) and _sets_rate(item, group))
            yield from ((group, item.value) for item in sets)


def _sets_rate(node: ast.Assign, group: str) -> bool:
    target = node.targets[0]
    sets = isinstance(target, ast.Subscript) and ast.unparse(target) == f"{group}['lr']"
    return sets and not any(isinstance(child, ast.Name) and child.id == group for child in ast.walk(node.value))
