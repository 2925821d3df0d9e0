"""Where a script makes its optimizers, and of whose parameters."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_optimizers.rules.names import Names, dotted
from outpace_optimizers.source import Definition, Source

from .scopes import TOP_LEVEL, Scope, scopes

ADAM = frozenset({"torch.optim.Adam", "torch.optim.AdamW"})


@dataclass(frozen=True, eq=False)
class Made:
    """One optimizer: its call, what it is given, and how the model is spelled there."""

    scope: Scope
    call: ast.Call
    params: ast.expr
    model: str
    adam: bool


def optimizers(source: Source, model: str | None = None) -> list[Made] | None:
    """All that the file makes; None where one can't be read. `model` is the class of the model, whose methods speak of
    it as `self`; where it is None any class may be.
    """
    own = own_optimizers(source)
    found: list[Made] = []
    for scope in scopes(source):
        for call in scope.calls():
            if not makes(scope.names, call, own):
                continue
            made = _made(scope, call, model)
            if made is None:
                return None
            found.append(made)
    return found


def own_optimizers(source: Source) -> set[str]:
    """Classes of the file that are optimizers."""
    return {name for name, found in source.definitions.items() if _is_optimizer(source, found)}


def makes(names: Names, call: ast.Call, own: set[str]) -> bool:
    """Calls a class of torch.optim, or an optimizer of the file."""
    name = names.resolve(call.func) or ""
    return (name.startswith("torch.optim.") and name.count(".") == 2) or dotted(call.func) in own


def _is_optimizer(source: Source, definition: Definition) -> bool:
    node = definition.node
    if not isinstance(node, ast.ClassDef):
        return False
    names = Names(source, TOP_LEVEL)
    bases = {names.resolve(base) or dotted(base) or "" for base in node.bases}
    return "Optimizer" in bases or any(base.startswith("torch.optim.") for base in bases)


def _made(scope: Scope, call: ast.Call, model: str | None) -> Made | None:
    keywords = {item.arg: item.value for item in call.keywords if item.arg}
    params = call.args[0] if call.args else keywords.get("params")
    roots = {root for root in _roots(scope, model) if root}
    if params is None or isinstance(params, ast.Starred) or len(roots) != 1:
        return None
    return Made(scope, call, params, roots.pop(), (scope.names.resolve(call.func) or "") in ADAM)


def _roots(scope: Scope, model: str | None) -> Iterator[str | None]:
    """What the scope takes parameters of: `model` for `model.blocks.parameters()`, `self` within the model."""
    for call in scope.calls():
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("parameters", "named_parameters"):
            continue
        name = dotted(call.func.value)
        if name is None:
            yield None
        elif name.split(".")[0] != "self":
            yield name.split(".")[0]
        elif scope.owner is not None and model in (None, scope.owner.name) and _is_module(scope):
            yield "self"
        else:
            yield ".".join(name.split(".")[:2])


def _is_module(scope: Scope) -> bool:
    """Whether a method's class may be the model itself, and no trainer that holds one."""
    assert scope.owner is not None
    return any((dotted(base) or "").rpartition(".")[2].endswith("Module") for base in scope.owner.bases)
