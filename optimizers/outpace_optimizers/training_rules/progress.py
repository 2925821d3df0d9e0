"""How much of a run is over where its optimizer steps, in the script's own words."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from outpace_optimizers.rules.names import dotted
from outpace_optimizers.source import Source

from .fitting import DoesNotApply
from .scopes import Scope, names_in
from .step_sites import calls_it

_CLOCKS = frozenset({"time.time", "time.perf_counter", "time.monotonic"})
_BARS = frozenset({"tqdm.tqdm", "tqdm.auto.tqdm", "tqdm.std.tqdm", "rich.progress.track"})
"""Loops over them are those over what they are given."""


@dataclass(frozen=True, eq=False)
class Level:
    """One loop: its share that is over is `index` / `count`. `numbered` is what has to be enumerated for that, under
    the new name `index`. `of` is what `index` is in the script's own loop, for schedules that are made of it."""

    scope: Scope
    loop: ast.For | ast.While
    index: str
    count: str
    numbered: ast.For | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` within the step's scope, of the part `(before, width)` of the run, which `caller` knows where it calls."""

    done: str
    levels: list[Level]
    caller: Scope | None = None
    call: ast.Call | None = None
    before: str = ""
    width: str = ""
    every: list[Level] = field(default_factory=list[Level])


def progress(source: Source, every: list[Scope], scope: Scope, call: ast.Call) -> Progress:
    """At a call, the optimizer's step. Raises DoesNotApply where a loop's length can't be told."""
    own = _levels(scope, call)
    if isinstance(scope.node, ast.Module) or (own and _whole(own[0])):
        return Progress(_done(own), own, every=own)
    callers = _callers(source, every, scope)
    if not callers and not own:
        raise DoesNotApply(f"line {call.lineno} steps in no loop that is seen")
    looped = [(one, node) for one, node in callers if one.loop(node) is not None]
    if not looped:
        return Progress(_done(own), own, every=own)
    if len(callers) > 1:
        raise DoesNotApply(f"{getattr(scope.node, 'name', '')} is called in {len(callers)} places, and trains in each")
    caller, node = looped[0]
    outer = _levels(caller, node)
    width = " / ".join(["1", *(level.count for level in outer)])
    return Progress(_done(own) if own else "0", own, caller, node, _done(outer), width, [*outer, *own])


def _whole(level: Level) -> bool:
    """A condition tells of the whole run."""
    return isinstance(level.loop, ast.While)


def _levels(scope: Scope, call: ast.Call) -> list[Level]:
    """The outermost first, from a `while` on."""
    loops = [
        node for node in scope.around(call) if isinstance(node, (ast.For, ast.While)) and _inside(scope, node, call)
    ]
    found: list[Level] = []
    for loop in loops:
        if isinstance(loop, ast.For) and isinstance(loop.iter, (ast.Name, ast.Attribute)) and _steppers(loop, call):
            continue  # over several optimizers
        found.append(_for(scope, loop) if isinstance(loop, ast.For) else _while(scope, loop, call))
        if isinstance(loop, ast.While):
            break
    return found[::-1]


def _inside(scope: Scope, loop: ast.For | ast.While, call: ast.Call) -> bool:
    return any(node is call for statement in loop.body for node in ast.walk(statement))


def _steppers(loop: ast.For, call: ast.Call) -> bool:
    target = dotted(loop.target)
    return target is not None and target in {dotted(call.func.value), *map(dotted, call.args)}  # pyright: ignore[reportAttributeAccessIssue]


def _for(scope: Scope, loop: ast.For) -> Level:
    if any(isinstance(node, ast.Break) for node in _own_level(loop)):
        raise DoesNotApply(f"the loop of line {loop.lineno} may end before its time")
    over, target = loop.iter, loop.target
    if isinstance(over, ast.Call) and (scope.names.resolve(over.func) or "") in _BARS and over.args:
        over = over.args[0]
    name = dotted(over.func) if isinstance(over, ast.Call) else None
    if name == "range" and isinstance(target, ast.Name) and isinstance(over, ast.Call) and len(over.args) < 3:
        return Level(scope, loop, *_range(over, target.id))
    if name == "enumerate" and isinstance(over, ast.Call) and isinstance(target, ast.Tuple):
        first, of = target.elts[0], over.args[0]
        start = over.args[1] if len(over.args) > 1 else next((item.value for item in over.keywords), None)
        if isinstance(first, ast.Name) and (length := _length(scope, of)):
            return Level(scope, loop, first.id if start is None else f"({first.id} - {_atom(start)})", length)
    if dotted(over) is not None:
        return Level(scope, loop, scope.names.fresh("number"), f"len({dotted(over)})", loop)
    raise DoesNotApply(f"how long the loop of line {loop.lineno} is can't be told")


def _length(scope: Scope, of: ast.expr) -> str | None:
    if isinstance(of, ast.Call) and (scope.names.resolve(of.func) or "") in _BARS and of.args:
        of = of.args[0]
    return f"len({dotted(of)})" if dotted(of) else None


def _range(over: ast.Call, name: str) -> tuple[str, str]:
    *first, end = over.args
    if not first or ast.unparse(first[0]) == "0":
        return name, _atom(end)
    start = first[0]
    more = isinstance(end, ast.BinOp) and isinstance(end.op, ast.Add) and ast.dump(end.right) == ast.dump(start)
    count = _atom(end.left) if more and isinstance(end, ast.BinOp) else f"({_atom(end)} - {_atom(start)})"
    return f"({name} - {_atom(start)})", count


def _atom(node: ast.expr) -> str:
    plain = isinstance(node, (ast.Name, ast.Attribute, ast.Constant, ast.Call))
    return ast.unparse(node) if plain else f"({ast.unparse(node)})"


def _while(scope: Scope, loop: ast.While, call: ast.Call) -> Level:
    """`while A < B`, or `while True` with its only `if A > B: break`."""
    tests: list[ast.expr] = [loop.test]
    kinds: tuple[type[ast.cmpop], ...] = (ast.Lt, ast.LtE)
    if isinstance(loop.test, ast.Constant) and loop.test.value:
        tests = [
            one.test for one in loop.body if isinstance(one, ast.If) and any(isinstance(n, ast.Break) for n in one.body)
        ]
        kinds = (ast.Gt, ast.GtE)
    breaks = sum(isinstance(node, ast.Break) for node in _own_level(loop))
    test = tests[0] if len(tests) == 1 and breaks == (tests[0] is not loop.test) else None
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], kinds):
        raise DoesNotApply(f"when the loop of line {loop.lineno} ends can't be told")
    over, end = test.left, test.comparators[0]
    if not _readable(scope, over, call) or not _readable(scope, end, call):
        raise DoesNotApply(f"what ends the loop of line {loop.lineno} is not known where the optimizer steps")
    return Level(scope, loop, _atom(over), _atom(end))


def _readable(scope: Scope, node: ast.expr, call: ast.Call) -> bool:
    """At the step, without doing anything but read: names that are set above it, numbers, clocks."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and (scope.names.resolve(one.func) or "") not in _CLOCKS:
            return False
        if isinstance(one, (ast.Subscript, ast.NamedExpr, ast.Await)):
            return False
    known = {name: [store.lineno for store in scope.stores(name)] for name in names_in(node)}
    return all(not lines or min(lines) < call.lineno for lines in known.values())


def _own_level(loop: ast.For | ast.While) -> list[ast.AST]:
    """What lies in the loop and in no loop of its own."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = list(loop.body)
    while waiting:
        node = waiting.pop()
        found.append(node)
        if not isinstance(node, (ast.For, ast.While)):
            waiting += ast.iter_child_nodes(node)
    return found


def _done(levels: list[Level]) -> str:
    """(outer + inner / count) / count of the outer one."""
    text = ""
    for level in reversed(levels):
        text = f"({level.index} + {text}) / {level.count}" if text else f"{level.index} / {level.count}"
    return text


def _callers(source: Source, every: list[Scope], scope: Scope) -> list[tuple[Scope, ast.Call]]:
    return [(one, call) for one in every for call in one.calls() if calls_it(source, call, scope)]
