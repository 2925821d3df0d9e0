"""Loops over time in which a recurrent cell of the library makes the next state."""

from __future__ import annotations

import ast

from .cell_text import GRU_STEPS, LSTM_STEPS, RNN_STEPS
from .flow import changed, live_after, loads, names_in
from .names import own_nodes
from .recurrences import Recurrence, Steps, apart, steps_of
from .scan_loops import Split, brought, finished, helper
from .scope import Scope
from .writing import Edit

_HELPERS = {"GRUCell": GRU_STEPS, "RNNCell": RNN_STEPS, "LSTMCell": LSTM_STEPS}
_HOOKS = ("register_forward", "register_full_backward", "parametrize", "weight_norm", "spectral_norm")


def cell_loop(scope: Scope, loop: ast.For) -> Split | None:
    """`h = self.cell(x[:, t], h)` and `h, c = self.cell(x[:, t], (h, c))` for all steps; None for anything more."""
    if any(word in scope.source.text for word in _HOOKS) or scope.names.table.get("torch") != "torch":
        return None
    calls = [(at, made) for at, item in enumerate(loop.body) if (made := _called(scope, item)) is not None]
    steps = steps_of(scope, loop)
    if steps is None or len(calls) != 1 or "torch" in scope.names.bound:
        return None
    place, (kind, call, states) = calls[0]
    given = call.args[0]
    if not apart(scope, loop, steps, place, set(states), given) or names_in(call.func) & changed(loop):
        return None
    memory_read = len(states) == 2 and any(loads(item, states[1]) for item in loop.body[place + 1 :])
    if memory_read or set(states) & names_in(given):
        return None
    return _split(scope, loop, steps, place, kind, call, states)


def _called(scope: Scope, statement: ast.stmt) -> tuple[str, ast.Call, list[str]] | None:
    """(GRUCell, its call, [h]) or (LSTMCell, its call, [h, c]) where the statement makes the next state."""
    match statement:
        case ast.Assign(
            targets=[ast.Name(id=state)], value=ast.Call(args=[_, ast.Name(id=before)], keywords=[]) as call
        ) if state == before:
            states, kinds = [state], ("GRUCell", "RNNCell")
        case ast.Assign(
            targets=[ast.Tuple(elts=[ast.Name(id=hidden), ast.Name(id=memory)])],
            value=ast.Call(
                args=[_, ast.Tuple(elts=[ast.Name(id=one), ast.Name(id=two)])],
                keywords=[],
            ) as call,
        ) if (hidden, memory) == (one, two) and hidden != memory:
            states, kinds = [hidden, memory], ("LSTMCell",)
        case _:
            return None
    made = scope.module(call.func) if isinstance(call.func, ast.Attribute) else None
    library, _, kind = made[0].rpartition(".") if made is not None else ("", "", "")
    return (kind, call, states) if library == "torch.nn" and kind in kinds else None


def _split(
    scope: Scope, loop: ast.For, steps: Steps, place: int, kind: str, call: ast.Call, states: list[str]
) -> Split | None:
    before, after = loop.body[:place], loop.body[place + 1 :]
    value, named = scope.text(call.args[0]), _named_slice(scope, before, call.args[0])
    if named is not None:
        value, before = named, []
    found = Recurrence(loop, steps, loop.body[place], states[0], "", value, True, before, after)
    parts, lines = Split(Edit()), list[str]()
    _, values = brought(scope, found, parts, lines)
    name = kind.removesuffix("Cell").lower() + "_steps"
    turn = ".flip(0)" if steps.backwards else ""
    text = f"{helper(scope, parts, name, _HELPERS[kind])}({scope.text(call.func)}, {values}{turn}, {', '.join(states)})"
    made = scope.names.fresh(f"{states[0]}_steps")
    if len(states) == 2 and live_after(scope, loop, states[1]):
        lines.append(f"{made}, {states[1]} = {text}")
        lines += [f"{made} = {made}{turn}"] if turn else []
    else:
        lines.append(f"{made} = {text}{'[0]' * (len(states) == 2)}{turn}")
    return finished(scope, found, parts, lines, made)


def _named_slice(scope: Scope, before: list[ast.stmt], given: ast.expr) -> str | None:
    """`x[:, t]` of `x_t = x[:, t]`, where that is all that comes before the cell, which alone reads it."""
    match before, given:
        case [ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() as value)], ast.Name(id=read):
            reads = [node for node in own_nodes(scope.function) if isinstance(node, ast.Name) and node.id == name]
            return scope.text(value) if name == read and len(reads) == 2 else None
        case _:
            return None
