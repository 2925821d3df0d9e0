"""Linear recurrences in a loop over time: h = a * h + b, where neither a nor b depends on h."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .aliasing import aliases, mutated
from .batch_loop import walk
from .batch_output import pairs_of
from .flow import changed, loads, names_in
from .invariants import Finder
from .numbers_known import is_number
from .scope import Scope

ONE = "1"
MINUS_ONE = "-1"
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.MatMult, ast.Pow)
_ENDS = (ast.Break, ast.Continue, ast.Return, ast.Yield, ast.YieldFrom, ast.Raise, ast.Await, ast.NamedExpr)


@dataclass(frozen=True, eq=False)
class Linear:
    """decay * h + value, as texts; None is nothing of it."""

    decay: str | None
    value: str | None


@dataclass(frozen=True, eq=False)
class Steps:
    """What a loop walks over: `range(start, stop)`, maybe backwards, or the slices of a tensor, `walked` with time
    first.
    """

    name: str
    stop: ast.expr | None
    backwards: bool = False
    walked: str = ""
    start: int = 0


@dataclass(frozen=True, eq=False)
class Recurrence:
    """`before` and `after` are the statements of the body around the update of `state`."""

    loop: ast.For
    steps: Steps
    update: ast.stmt
    state: str
    decay: str
    value: str
    constant: bool
    """Whether the decay is the same in every step."""
    before: list[ast.stmt]
    after: list[ast.stmt]


def recurrence(scope: Scope, loop: ast.For) -> Recurrence | None:
    """The recurrence of a loop over all steps that keeps only its state."""
    steps = steps_of(scope, loop)
    if steps is None:
        return None
    for place, statement in enumerate(loop.body):
        for state, update in _updated(statement):
            found = _of_state(scope, loop, steps, place, state, update)
            if found is not None:
                return found
    return None


def _of_state(scope: Scope, loop: ast.For, steps: Steps, place: int, state: str, update: ast.expr) -> Recurrence | None:
    form = linear(scope, update, state) if loads(update, state) else None
    if form is None or form.decay is None or form.value is None:
        return None
    if not apart(scope, loop, steps, place, {state}, update):
        return None
    parts = [parsed_text(form.decay), parsed_text(form.value)]
    constant = Finder(scope, loop, set()).invariant(parts[0]) and steps.name not in names_in(parts[0])
    if any(is_number(scope, part) for part in parts[constant:]):
        return None
    before, after = loop.body[:place], loop.body[place + 1 :]
    return Recurrence(loop, steps, loop.body[place], state, form.decay, form.value, constant, before, after)


def apart(scope: Scope, loop: ast.For, steps: Steps, place: int, states: set[str], update: ast.expr) -> bool:
    """Whether what comes before the update, the update, and what comes after it may each be done for all steps."""
    before, after = loop.body[:place], loop.body[place + 1 :]
    if any(states & changed(item) for item in [*before, *after]) or any(states & names_in(item) for item in before):
        return False
    made, kept = set[str]().union(*map(changed, before)), set[str]().union(*map(changed, after))
    read = set[str]().union(*map(names_in, before), names_in(update)) - states - {steps.name}
    if read & (kept | aliases(scope, mutated(loop))) or any(made & names_in(item) for item in after):
        return False
    return not Finder(scope, loop, set()).trains


def steps_of(scope: Scope, loop: ast.For) -> Steps | None:
    """Where every step is made, and the loop changes nothing of what it walks over."""
    if not isinstance(loop.target, ast.Name) or loop.orelse or _ends_early(loop):
        return None
    if (names_in(loop.iter) | {loop.target.id}) & set().union(*map(changed, loop.body)):
        return None
    found = _counted(loop, loop.target.id)
    if found is not None:
        return found
    header = walk(scope, loop.target, loop.iter)
    if header is None or header.index is not None or len(header.direct) != 1 or header.direct[0][2] < 0 or header.even:
        return None
    _, base, dim = header.direct[0]
    return Steps(loop.target.id, None, walked=f"{base}.movedim({dim}, 0)" if dim else base)


def _updated(statement: ast.stmt) -> list[tuple[str, ast.expr]]:
    pairs = pairs_of(statement)
    return pairs if len(pairs) == 1 and pairs[0][0] in names_in(pairs[0][1]) else []


def _ends_early(loop: ast.For) -> bool:
    return any(isinstance(item, _ENDS) for statement in loop.body for item in ast.walk(statement))


def _counted(loop: ast.For, name: str) -> Steps | None:
    """Of `range(n)`, `range(1, n)`, `reversed(range(n))` and `range(n - 1, -1, -1)`."""
    match loop.iter:
        case ast.Call(func=ast.Name(id="range"), args=[stop], keywords=[]):
            return Steps(name, stop)
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(start)), stop], keywords=[]):
            return Steps(name, stop, start=start)
        case ast.Call(
            func=ast.Name(id="reversed"),
            args=[ast.Call(func=ast.Name(id="range"), args=[stop], keywords=[])],
            keywords=[],
        ):
            return Steps(name, stop, True)
        case ast.Call(func=ast.Name(id="range"), args=[ast.BinOp(left=stop, op=ast.Sub()) as first, last, step]):
            down = [ast.unparse(item) for item in (first.right, last, step)] == ["1", "-1", "-1"]
            return Steps(name, stop, True) if down else None
        case _:
            return None


def linear(scope: Scope, node: ast.expr, state: str) -> Linear | None:
    """The expression as decay * state + value; None where it is not linear in the state by its form."""
    if not loads(node, state):
        return Linear(None, scope.text(node))
    match node:
        case ast.Name():
            return Linear(ONE, None)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = linear(scope, operand, state)
            return _scaled(inner, "-{}") if inner is not None else None
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            one, two = linear(scope, left, state), linear(scope, right, state)
            if one is None or two is None:
                return None
            sign = "+" if isinstance(op, ast.Add) else "-"
            return Linear(_summed(one.decay, sign, two.decay), _summed(one.value, sign, two.value))
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _product(scope, left, right, state)
        case ast.BinOp(left=left, op=ast.Div(), right=right) if not loads(right, state):
            inner = linear(scope, left, state)
            return _scaled(inner, "{} / " + _tight(scope.text(right))) if inner is not None else None
        case _:
            return None


def _product(scope: Scope, left: ast.expr, right: ast.expr, state: str) -> Linear | None:
    if loads(left, state) and loads(right, state):
        return None
    factor, inner = (right, linear(scope, left, state)) if loads(left, state) else (left, linear(scope, right, state))
    if inner is None:
        return None
    text = _tight(scope.text(factor))
    if inner.decay == MINUS_ONE:
        return Linear(f"-{text}", f"{text} * {_tight(inner.value)}" if inner.value is not None else None)
    return Linear(
        text if inner.decay == ONE else f"{text} * {_tight(inner.decay)}" if inner.decay is not None else None,
        f"{text} * {_tight(inner.value)}" if inner.value is not None else None,
    )


def _scaled(inner: Linear, form: str) -> Linear:
    decay, value = (form.format(_tight(part)) if part is not None else None for part in (inner.decay, inner.value))
    return Linear(decay, value)


def _summed(one: str | None, sign: str, two: str | None) -> str | None:
    if two is None:
        return one
    if one is None:
        return two if sign == "+" else f"-{_tight(two)}"
    if sign == "+" and isinstance(negated := parsed_text(two), ast.UnaryOp) and two.startswith("-"):
        return f"{_term(one)} - {two[1:] if isinstance(negated.op, ast.USub) else _tight(two)}"
    return f"{_term(one)} {sign} {_tight(two) if sign == '-' else _term(two)}"


def parsed_text(text: str) -> ast.expr:
    """Of an expression, which may have several lines."""
    return ast.parse(f"({text})", mode="eval").body


def _term(text: str) -> str:
    node = parsed_text(text)
    return text if isinstance(node, ast.BinOp) and isinstance(node.op, _ARITHMETIC) else _tight(text)


def _tight(text: str) -> str:
    """In parentheses, but for what binds tightly without them."""
    node = parsed_text(text)
    return text if isinstance(node, (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant)) else f"({text})"
