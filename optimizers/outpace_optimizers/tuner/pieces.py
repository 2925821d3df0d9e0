"""Knobs of plain PyTorch: how large the pieces are that a loop cuts a tensor into."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from outpace_optimizers.rules.names import own_nodes
from outpace_optimizers.rules.scope import Scope
from outpace_optimizers.tuner.knobs import Knob, knob_of, powers
from outpace_optimizers.tuner.literals import Literals

_SMALLER, _LARGER, _MOST = 64, 1024, 1 << 16
"""How far from the present size others are tried: a size that is poor is often poor by orders of magnitude."""
_SPLITS = {".split": "split_size", "torch.split": "split_size_or_sections"}
_CHUNKS = {".chunk": "chunks", "torch.chunk": "chunks"}

Loop = ast.For | ast.comprehension


def piece_knobs(literals: Literals) -> Iterator[Knob]:
    for scope in literals.scopes:
        for node in own_nodes(scope.function):
            if isinstance(node, ast.For):
                yield from _of_loop(literals, scope, node, node.body)
            elif isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
                for one in node.generators:
                    yield from _of_loop(literals, scope, one, [node.elt, *one.ifs])
            elif isinstance(node, ast.Call):
                yield from _of_split(literals, scope, node)


def _of_loop(literals: Literals, scope: Scope, loop: Loop, body: Sequence[ast.AST]) -> Iterator[Knob]:
    match loop:
        case ast.For(target=ast.Name(id=index), iter=ast.Call(func=ast.Name(id="range"), args=args)):
            pass
        case ast.comprehension(target=ast.Name(id=index), iter=ast.Call(func=ast.Name(id="range"), args=args)):
            pass
        case _:
            return
    inner = [node for part in body for node in ast.walk(part)]
    if len(args) == 3:
        yield from _step(literals, scope, index, args[2], inner)
    else:
        yield from _counted(literals, scope, index, args, inner)


def _step(literals: Literals, scope: Scope, index: str, step: ast.expr, inner: Sequence[ast.AST]) -> Iterator[Knob]:
    """`for i in range(0, n, STEP)` whose body reaches from i to i + STEP."""
    literal = literals.of(scope, step)
    again = [other for other in _extents(index, inner) if ast.dump(other) == ast.dump(step)]
    if literal is not None and again:
        more = [] if literal.named else [literals.place(node, scope.definition.qualname) for node in again]
        name = step.id if isinstance(step, ast.Name) else "step of range"
        yield knob_of(literal, name, _sizes(literal.value), scope.definition.qualname, more)


def _extents(index: str, inner: Sequence[ast.AST]) -> Iterator[ast.expr]:
    """What is added to the index, or how much is taken from it on."""
    for node in inner:
        match node:
            case ast.BinOp(left=ast.Name(id=name), op=ast.Add(), right=other) if name == index:
                yield other
            case ast.BinOp(left=other, op=ast.Add(), right=ast.Name(id=name)) if name == index:
                yield other
            case ast.Call(func=ast.Attribute(attr="narrow"), args=[*_, ast.Name(id=name), other]) if name == index:
                yield other
                if isinstance(other, ast.Call):
                    yield from other.args  # min(STEP, n - i)
            case _:
                pass


def _counted(
    literals: Literals, scope: Scope, index: str, args: Sequence[ast.expr], inner: Sequence[ast.AST]
) -> Iterator[Knob]:
    """`for i in range(n // SIZE)` whose body begins at i * SIZE, where the size has a name."""
    divisors = {node.id: node for arg in args for node in ast.walk(arg) if isinstance(node, ast.Name)}
    for name, node in divisors.items():
        literal = literals.of(scope, node)
        if literal is not None and literal.named and any(_scales(one, index, name) for one in inner):
            yield knob_of(literal, name, _sizes(literal.value), scope.definition.qualname)


def _scales(node: ast.AST, index: str, name: str) -> bool:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
        return False
    sides = [node.left, node.right]
    return any(isinstance(a, ast.Name) and a.id == index for a in sides) and any(
        isinstance(b, ast.Name) and b.id == name for b in sides
    )


def _of_split(literals: Literals, scope: Scope, node: ast.Call) -> Iterator[Knob]:
    """`x.split(SIZE)` and `x.chunk(NUMBER)` that a loop goes through."""
    called = scope.names.call(node)
    if called is None or called[0] not in {**_SPLITS, **_CHUNKS} or len(called[1]) + len(called[2]) < 2:
        return
    name, args, keywords = called
    size = args[1] if len(args) > 1 else keywords.get({**_SPLITS, **_CHUNKS}[name])
    literal = literals.of(scope, size) if size is not None else None
    walk = _walked(scope, node)
    if literal is None or size is None or walk is None:
        return
    beside = [one for one in ast.walk(walk) if isinstance(one, ast.Constant) and ast.dump(one) == ast.dump(size)]
    more = [literals.place(one, scope.definition.qualname) for one in beside if one is not size]
    shown = size.id if isinstance(size, ast.Name) else name.rpartition(".")[2]
    choices = _sizes(literal.value) if name in _SPLITS else powers(literal.value, 1, min(1024, literal.value * 16))
    yield knob_of(literal, shown, choices, scope.definition.qualname, more)


def _walked(scope: Scope, node: ast.Call) -> ast.expr | None:
    """What a loop goes through: the pieces themselves, beside others or counted; also by a name they are given."""
    walk = _with_wrappers(scope, node)
    if _is_iterated(scope, walk):
        return walk
    match scope.parents.get(walk):
        case ast.Assign(targets=[ast.Name(id=name)]) if walk is node:
            uses = [one for one in ast.walk(scope.function) if isinstance(one, ast.Name) and one.id == name]
            read = [one for one in uses if isinstance(one.ctx, ast.Load)]
            through = [one for one in read if _is_iterated(scope, _with_wrappers(scope, one))]
            return node if through and len(through) == len(read) and len(uses) == len(read) + 1 else None
        case _:
            return None


def _with_wrappers(scope: Scope, node: ast.expr) -> ast.expr:
    """With the `zip` and `enumerate` around it."""
    parent = scope.parents.get(node)
    while isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id in ("zip", "enumerate"):
        node, parent = parent, scope.parents.get(parent)
    return node


def _is_iterated(scope: Scope, node: ast.expr) -> bool:
    parent = scope.parents.get(node)
    return isinstance(parent, (ast.For, ast.comprehension)) and parent.iter is node


def _sizes(value: int) -> tuple[int, ...]:
    return powers(value, max(1, value // _SMALLER), min(_MOST, value * _LARGER))
