"""Where a training loop asks the device for a number, and waits for it: `loss.item()`, `float(loss)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from outpace_optimizers.rules.names import dotted
from outpace_optimizers.source import FunctionNode

from .scopes import Scope, names_in

_SAME = frozenset({"detach", "cpu"})
"""Methods whose result has the same number."""


@dataclass(frozen=True, eq=False)
class Read:
    """`node` has the number of `tensor`; of a call of one of the script's own steps, which returns such a number,
    `tensor` is None. `real`: it is made a float."""

    node: ast.expr
    tensor: ast.expr | None
    real: bool = False


@dataclass(frozen=True, eq=False)
class StepFunction:
    """A function that makes one backward pass and returns what `read` reads."""

    scope: Scope
    name: str
    read: Read


def backward_calls(scope: Scope) -> list[ast.Call]:
    return [call for call in scope.calls() if isinstance(call.func, ast.Attribute) and call.func.attr == "backward"]


def losses(scope: Scope) -> set[str]:
    """Names that a backward pass starts from: `loss`, also in `scaler.scale(loss).backward()`."""
    found: set[str] = set()
    for call in backward_calls(scope):
        assert isinstance(call.func, ast.Attribute)
        parts: list[ast.expr] = [*call.args, call.func.value]
        found |= {name for part in parts for name in operands(part)}
    return found


def tensors(scope: Scope) -> set[str]:
    """Names that hold tensors: losses, what functions of torch give, and what either is made from by calls."""
    found, size = losses(scope), -1
    assigns = [node for node in scope.nodes if isinstance(node, (ast.Assign, ast.AugAssign)) and node.value]
    computed = {
        one.id
        for node in assigns
        if any(isinstance(part, ast.Call) for part in ast.walk(node.value))
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    while size != len(found):
        size = len(found)
        for node in assigns:
            stored = {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
            if stored & found:
                found |= operands(node.value) if isinstance(node.value, ast.Call) else operands(node.value) & computed
            elif _of_torch(scope, node.value) or _is_one_of(_stripped(node.value), found):
                found |= stored
    return found


def reads(scope: Scope, steps: Sequence[StepFunction]) -> list[Read]:
    """Within loops that make backward passes or call `steps`."""
    known, names = tensors(scope), {step.name for step in steps}
    found = [read for call in scope.calls() if (read := _read(call, known, names)) is not None]
    inner = {id(node) for read in found for node in ast.walk(read.node) if node is not read.node}
    loops = {id(loop) for call in backward_calls(scope) for loop in (scope.loop(call), _step_loop(scope, call))}
    loops -= {id(None)}
    loops |= {id(scope.loop(read.node)) for read in found if read.tensor is None} - {id(None)}
    return [read for read in found if id(read.node) not in inner and id(scope.loop(read.node)) in loops]


def _step_loop(scope: Scope, backward: ast.Call) -> ast.For | ast.While | None:
    """The innermost loop around a backward pass that steps an optimizer too: outside of one over parts of a batch."""
    loop = scope.loop(backward)
    while loop is not None and not any(_steps(node) for node in ast.walk(loop)):
        loop = scope.loop(loop)
    return loop


def _steps(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "step"


def step_functions(scopes: Sequence[Scope]) -> Iterator[StepFunction]:
    for scope in scopes:
        calls = backward_calls(scope)
        if not isinstance(scope.node, FunctionNode) or not calls or any(scope.loop(call) for call in calls):
            continue
        returned = [node.value for node in scope.nodes if isinstance(node, ast.Return) and node.value is not None]
        value = returned[0] if len(returned) == 1 else None
        read = _read(value, tensors(scope), set()) if isinstance(value, ast.Call) else None
        if read is not None:
            yield StepFunction(scope, scope.node.name, read)


def mentions(tree: ast.AST, name: str) -> int:
    """How often a function's name is read, as a name or as an attribute."""
    return sum(
        (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.Attribute) and node.attr == name)
        for node in ast.walk(tree)
    )


def _read(call: ast.Call, known: set[str], steps: set[str]) -> Read | None:
    name = dotted(call.func)
    if name is not None and name.rpartition(".")[2] in steps:
        return Read(call, None)
    if isinstance(call.func, ast.Attribute) and call.func.attr == "item" and not call.args and not call.keywords:
        tensor = _stripped(call.func.value)
        return Read(call, tensor) if names_in(tensor) & known else None
    if name == "float" and len(call.args) == 1 and not call.keywords:
        inner = call.args[0]
        read = _read(inner, known, set()) if isinstance(inner, ast.Call) else None
        tensor = read.tensor if read is not None else _stripped(inner)
        if tensor is not None and (read is not None or (isinstance(tensor, ast.Name) and tensor.id in known)):
            return Read(call, tensor, real=True)
    return None


def _stripped(node: ast.expr) -> ast.expr:
    while True:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _SAME:
            node = node.func.value
        elif isinstance(node, ast.Attribute) and node.attr == "data":
            node = node.value
        else:
            return node


def operands(node: ast.AST) -> set[str]:
    """Names below, and attributes of self, without what is called and that whose methods are."""
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Attribute) and (name := dotted(node) or "").startswith("self."):
        return {name}
    if isinstance(node, ast.Call):
        of = node.func.value if isinstance(node.func, ast.Attribute) and not dotted(node.func) else None
        inner: list[ast.AST] = [*node.args, *(item.value for item in node.keywords), *([of] if of is not None else [])]
    else:
        inner = list(ast.iter_child_nodes(node))
    return {name for child in inner for name in operands(child)}


def _is_one_of(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _of_torch(scope: Scope, node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and (scope.names.resolve(node.func) or "").startswith("torch.nn.functional.")
