"""Finds the training step of a script: the call of its model, the loss made of it, and the backward pass from there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_optimizers.rules.names import dotted
from outpace_optimizers.source import Source

from .fitting import DoesNotApply
from .host_reads import backward_calls, operands
from .scopes import Scope

_OF_MODULES = frozenset({"parameters", "named_parameters", "train", "eval", "configure_optimizers"})
"""Methods that what is trained is asked for by its script."""
_WRAPPERS = frozenset({"compile", "DistributedDataParallel", "DDP", "DataParallel"})
"""What makes another module of the same parameters."""
_FAR = 32
"""Statements that are followed back from a loss."""


@dataclass(frozen=True, eq=False)
class Step:
    """`first` to `last` are the statements from the model's call to the loss. `model` is how the model is spelled in
    `at`, which is the step's own scope or that of a function which it calls.
    """

    scope: Scope
    backward: ast.Call
    first: ast.stmt
    last: ast.stmt
    model: str
    at: Scope


def the_step(source: Source, every: list[Scope]) -> Step:
    """The only one of the script. Raises DoesNotApply."""
    calls = [(scope, call) for scope in every for call in backward_calls(scope)]
    if not calls:
        raise DoesNotApply("it makes no backward pass")
    if len(calls) > 1:
        lines = ", ".join(str(call.lineno) for _, call in calls)
        raise DoesNotApply(f"it makes several backward passes (lines {lines}): which step is meant can't be told")
    (scope, call), known = calls[0], modules(source)
    found = _step(scope, call, known, every)
    if found is None:
        raise DoesNotApply(f"no call of a model is seen behind the loss of line {call.lineno}")
    return found


def modules(source: Source) -> set[str]:
    """The last part of the names of what has parameters, is put into training mode, or made of a module's class."""
    found = set(_modules(source))
    return found | set(_wrapped(source, found))


def _wrapped(source: Source, known: set[str]) -> Iterator[str]:
    """`compiled` in `compiled = torch.compile(model)`, `inner` in `inner = model.module`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assign) and any(_wraps(one, known) for one in ast.walk(node.value)):
            yield from (name.rpartition(".")[2] for target in node.targets if (name := dotted(target)))


def _wraps(node: ast.AST, known: set[str]) -> bool:
    if isinstance(node, ast.Call) and node.args:
        by, of = dotted(node.func) or "", dotted(node.args[0]) or ""
        return by.rpartition(".")[2] in _WRAPPERS and of.rpartition(".")[2] in known
    inner = dotted(node) if isinstance(node, ast.Attribute) else None
    return inner is not None and inner.endswith((".module", "._orig_mod")) and inner.split(".")[-2] in known


def is_module(owner: ast.ClassDef) -> bool:
    return any((dotted(base) or "").rpartition(".")[2] == "Module" for base in owner.bases)


def _modules(source: Source) -> Iterator[str]:
    classes = {
        name
        for name, found in source.definitions.items()
        if isinstance(found.node, ast.ClassDef) and is_module(found.node)
    }
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and dotted(node.value.func) in classes:
            yield from (name.rpartition(".")[2] for target in node.targets if (name := dotted(target)))
        if isinstance(node, ast.Attribute) and node.attr in _OF_MODULES:
            name = dotted(node.value)
            if name is not None:
                yield name.rpartition(".")[2]


def calls_it(source: Source, call: ast.Call, function: Scope) -> bool:
    """Whether a call is of a function of the file, or of a method by an object of its class."""
    name, own = dotted(call.func) or "", getattr(function.node, "name", "")
    if function.owner is None or not own:
        return name == own != ""
    receiver, _, method = name.rpartition(".")
    return method == own and receiver in {"self", *_made_by(source, function.owner.name)}


def _made_by(source: Source, owner: str) -> Iterator[str]:
    """`trainer` in `trainer = Trainer(model)`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and dotted(node.value.func) == owner:
            yield from (name for target in node.targets if (name := dotted(target)))


def _step(scope: Scope, backward: ast.Call, modules: set[str], every: list[Scope]) -> Step | None:
    loop, line = scope.loop(backward), backward.lineno
    assert isinstance(backward.func, ast.Attribute)
    wanted = sorted(operands(backward.func.value) | {name for one in backward.args for name in operands(one)})
    last: ast.stmt | None = None
    for _ in range(_FAR):
        if not wanted:
            return None
        made = _made(scope, wanted.pop(0), line, loop)
        for node in made:
            last = last or node
            called = _called(scope, node, modules, every)
            if called is not None:
                return Step(scope, backward, node, last, *called)
            wanted += sorted(operands(node.value) | _receivers(node.value))
    return None


def _receivers(node: ast.expr) -> set[str]:
    """`output` in `criterion(output.flatten(0, 1), y)`."""
    methods = (call.func for call in ast.walk(node) if isinstance(call, ast.Call))
    names = (dotted(func.value) for func in methods if isinstance(func, ast.Attribute))
    return {name for name in names if name is not None}


def _made(scope: Scope, name: str, line: int, loop: ast.AST | None) -> list[ast.Assign]:
    """Assignments to a name above a line and within the loop, the last first."""
    found = [
        node
        for node in scope.nodes
        if isinstance(node, ast.Assign) and node.lineno < line and scope.loop(node) is loop
        and any(isinstance(one, ast.expr) and dotted(one) == name for to in node.targets for one in ast.walk(to))
    ]  # fmt: skip
    return found[::-1]


def _called(scope: Scope, node: ast.Assign, modules: set[str], every: list[Scope]) -> tuple[str, Scope] | None:
    """The model that a statement calls, itself or by a function of the script."""
    names = [name for call in ast.walk(node.value) if isinstance(call, ast.Call) and (name := dotted(call.func))]
    for name in names:
        if name.rpartition(".")[2] in modules and not _function(scope, name, every):
            return name, scope
    for name in names:
        inner = _function(scope, name, every)
        for call in inner.calls() if inner is not None else ():
            model = dotted(call.func)
            if inner is not None and model is not None and model.rpartition(".")[2] in modules:
                return model, inner
    return None


def _function(scope: Scope, name: str, every: list[Scope]) -> Scope | None:
    """Of the script, by its name or as a method of the same class."""
    owner = scope.owner if name.startswith("self.") else None
    own = name.removeprefix("self.")
    if name.startswith("self.") and owner is None:
        return None
    return next((one for one in every if getattr(one.node, "name", "") == own and one.owner is owner), None)


def in_one_block(step: Step) -> tuple[ast.stmt, ast.stmt]:
    """The statements around `first` and `last` that stand in one block, before the backward pass. Raises
    DoesNotApply.
    """
    scope = step.scope
    one = [node for node in (step.first, *scope.around(step.first)) if isinstance(node, ast.stmt)]
    other = [node for node in (step.last, *scope.around(step.last)) if isinstance(node, ast.stmt)]
    for first in one:
        block = scope.block(first)
        last = next((node for node in other if node in block), None)
        if last is not None:
            inside = block[block.index(first) : block.index(last) + 1]
            if any(step.backward in ast.walk(node) for node in inside):
                break
            return first, last
    raise DoesNotApply(f"the model's call (line {step.first.lineno}) and its loss stand in no block of their own")
