"""Where a script's optimizers take their step, after the backward pass."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_optimizers.rules.names import dotted
from outpace_optimizers.source import FunctionNode

from .fitting import DoesNotApply
from .scopes import Scope
from .step_sites import Step


def optimizer_steps(step: Step) -> list[ast.Call]:
    """`optimizer.step()` and `scaler.step(optimizer)`, all in the scope of the backward pass. Raises DoesNotApply."""
    zeroed = set(_zeroed(step.scope))
    found = [
        call
        for call in step.scope.calls()
        if isinstance(call.func, ast.Attribute) and call.func.attr == "step" and call.lineno >= step.backward.lineno
    ]
    sure = [call for call in found if {dotted(call.func.value), *map(dotted, call.args)} & zeroed]  # pyright: ignore[reportAttributeAccessIssue]
    if not sure:
        raise DoesNotApply(f"no step of an optimizer is seen after line {step.backward.lineno}")
    return sure


def _zeroed(scope: Scope) -> Iterator[str]:
    """What is asked to clear gradients, or is made by an optimizer's class, in this scope."""
    for call in scope.calls():
        if isinstance(call.func, ast.Attribute) and call.func.attr == "zero_grad":
            yield dotted(call.func.value) or ""
    for node in scope.nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            name = scope.names.resolve(node.value.func) or ""
            if name.startswith("torch.optim.") and name.count(".") == 2:
                yield from (dotted(target) or "" for target in node.targets)


def stepped(scope: Scope, call: ast.Call, backward: ast.Call) -> ast.stmt:
    """The statement around a step, or the loop over optimizers that it lies in."""
    statement = scope.statement(call)
    loop = scope.loop(call)
    while loop is not None and not any(node is backward for node in ast.walk(loop)):
        statement, loop = loop, scope.loop(loop)
    return statement


def spelled(step: Step) -> str:
    """The model, in the scope of the backward pass. Raises DoesNotApply."""
    head, inner = step.model.split(".")[0], step.at
    if inner is step.scope or (head == "self" and inner.owner is step.scope.owner):
        return step.model
    if head not in inner.names.bound and head not in step.scope.names.bound:
        return step.model
    given = _given(step, head)
    if given is None:
        raise DoesNotApply(f"what {step.model} is called beside the backward pass can't be told")
    return given + step.model.removeprefix(head)


def _given(step: Step, name: str) -> str | None:
    """What the function that calls the model is given as a parameter."""
    node = step.at.node
    if not isinstance(node, FunctionNode) or name not in (names := [arg.arg for arg in node.args.args]):
        return None
    for call in step.scope.calls():
        if (dotted(call.func) or "").rpartition(".")[2] == node.name and not any(
            isinstance(one, ast.Starred) for one in call.args
        ):
            place = names.index(name) - (names[0] == "self")
            values = [item.value for item in call.keywords if item.arg == name] or call.args[place : place + 1]
            return dotted(values[0]) if values else None
    return None
