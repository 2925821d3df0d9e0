"""Where neighbours in the last dimension are turned by real numbers: `stack((a c - b s, a s + b c), -1)` of
a = x[..., ::2] and b = x[..., 1::2], or of the parts of pairs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from outpace_optimizers.source import tree_of

from .complex_turns import spelled
from .flow import ancestors, changed, last_change, names_in, root
from .names import own_nodes, words
from .rotation_casts import uncast
from .scope import Block, Scope

_VIEWS = words("unsqueeze view reshape squeeze transpose to type_as float expand movedim flatten unflatten size dim")
"""Methods that tables of angles may be called with: the same each time."""
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)


@dataclass(frozen=True, slots=True)
class NeighbourTurn:
    node: ast.expr
    """The stack: [..., pairs, 2]."""
    x: str
    """What is turned, [..., 2 pairs]."""
    cast: bool
    """To fp32, before."""
    cos: ast.expr
    sin: ast.expr
    block: Block
    read: tuple[int, ...]
    """Statements of the block that lead to it, in order."""


@dataclass(slots=True)
class _Reader:
    scope: Scope
    block: Block
    read: set[int] = field(default_factory=set[int])

    def value(self, node: ast.expr, at: int) -> tuple[ast.expr, int, int | None]:
        """(what a name stands for, where that was computed, its place in a list of values or of parts)."""
        place: int | None = None
        while isinstance(node, ast.Name):
            found = last_change(self.block, at, node.id)
            statement = self.block[found] if found >= 0 else None
            made = _assigned(statement, node.id)
            if made is None or not self._unchanged(made[0], found, at):
                break
            self.read.add(found)
            node, at = made[0], found
            if made[1] is not None:
                place = made[1]
                break
        return node, at, place

    def _unchanged(self, node: ast.expr, start: int, end: int) -> bool:
        """What it reads is the same at `end`; the statement itself may bind a name that it has read only to itself."""
        names = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
        return not any(changed(statement) & names for statement in self.block[start:end])


def _assigned(statement: ast.stmt | None, name: str) -> tuple[ast.expr, int | None] | None:
    """The value, or the value and a place in it, that a plain assignment gives the name."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name:
            return value, None
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value):
            bound = [item.id if isinstance(item, ast.Name) else "" for item in targets]
            if bound.count(name) != 1:
                return None
            if isinstance(value, ast.Tuple) and len(value.elts) == len(bound):
                return value.elts[bound.index(name)], None
            return (value, bound.index(name)) if len(bound) == 2 and isinstance(value, ast.Call) else None
        case _:
            return None


def neighbour_turns(scope: Scope) -> Iterator[NeighbourTurn]:
    for node in own_nodes(scope.function):
        call = scope.names.call(node)
        place = scope.block_of(node) if call is not None and call[0] == "torch.stack" else None
        if call is None or place is None or not isinstance(node, ast.Call) or not _of_last(call[1], call[2]):
            continue
        if any(isinstance(item, _COMPREHENSIONS) for item in ancestors(scope, node)):
            continue  # whose names are its own
        match call[1][0]:
            case ast.Tuple(elts=[first, second]) | ast.List(elts=[first, second]):
                found = _turn(scope, node, place, first, second)
                if found is not None:
                    yield found
            case _:
                pass


def _of_last(given: list[ast.expr], keywords: dict[str, ast.expr]) -> bool:
    dim = given[1] if len(given) == 2 else keywords.get("dim") if len(given) == 1 else None
    return dim is not None and ast.unparse(dim) == "-1" and keywords.keys() <= {"dim"}


def _turn(
    scope: Scope, node: ast.expr, place: tuple[Block, int], first: ast.expr, second: ast.expr
) -> NeighbourTurn | None:
    block, at = place
    reader = _Reader(scope, block)
    (one, one_at, part), (two, two_at, other) = reader.value(first, at), reader.value(second, at)
    if part is not None or other is not None:
        return None
    match one, two:
        case (ast.BinOp(left=plus, op=ast.Sub(), right=minus), ast.BinOp(left=left, op=ast.Add(), right=right)):
            pass
        case _:
            return None
    even, cos = _sorted(reader, plus, one_at) or (None, plus)
    odd, sin = _sorted(reader, minus, one_at) or (None, minus)
    if even is None or odd is None or (even.part, odd.part) != (0, 1) or even.x != odd.x:
        return None
    others = [_sorted(reader, item, two_at) for item in (left, right)]
    wanted = {(0, ast.dump(sin)), (1, ast.dump(cos))}
    if {(half.part, ast.dump(table)) for half, table in filter(None, others) if half.x == even.x} != wanted:
        return None
    x, cast = _source(reader, even, at)
    start = min(reader.read, default=at)
    if any(changed(statement) & names_in(tree_of(x)) for statement in block[start:at]):
        return None
    return NeighbourTurn(node, x, cast, cos, sin, block, tuple(sorted(reader.read)))


def _source(reader: _Reader, half: _Half, at: int) -> tuple[str, bool]:
    """The whole, and whether it is cast to fp32 on the way."""
    if half.whole is None:
        return half.x, False
    read = set(reader.read)
    made, _, part = reader.value(half.whole, min(read, default=at))
    found = uncast(reader.scope, made) if part is None else None
    if found is None:
        reader.read = read
        return half.x, False
    return found, True


@dataclass(frozen=True, slots=True)
class _Half:
    """Every second element, from the first or the second on."""

    x: str
    part: int
    whole: ast.expr | None = None
    """`x` as an expression, where it is one of the code."""


def _sorted(reader: _Reader, product: ast.expr, at: int) -> tuple[_Half, ast.expr] | None:
    """(half, table) of a product of them in either order."""
    if not isinstance(product, ast.BinOp) or not isinstance(product.op, ast.Mult):
        return None
    for one, table in ((product.left, product.right), (product.right, product.left)):
        half = _half(reader, one, at)
        if half is not None and _is_table(table):
            return half, table
    return None


def _is_table(node: ast.expr) -> bool:
    """What is the same each time it is computed."""
    calls = [item for item in ast.walk(node) if isinstance(item, ast.Call)]
    plain = all(isinstance(item.func, ast.Attribute) and item.func.attr in _VIEWS for item in calls)
    return plain and root(node) is not None


def _half(reader: _Reader, node: ast.expr, at: int) -> _Half | None:
    """Every second element, or one part of pairs."""
    scope = reader.scope
    node, at, part = reader.value(node, at)
    if part is not None:
        call = scope.names.call(node)
        last = call is not None and call[0] in (".unbind", "torch.unbind") and _of_last(call[1], call[2])
        return _of_pairs(reader, call[1][0], at, part) if call is not None and last else None
    if not isinstance(node, ast.Subscript):
        return None
    match node.slice:
        case ast.Tuple(
            elts=[ast.Constant(value=first), ast.Slice(lower=lower, upper=None, step=ast.Constant(value=2))]
        ):
            start = 0 if lower is None else getattr(lower, "value", None)
            if first is not Ellipsis or type(start) is not int or start not in (0, 1):
                return None
            return _Half(spelled(scope, node.value), start, node.value)
        case ast.Tuple(elts=[ast.Constant(value=first), ast.Constant(value=0 | 1 as one)]) if first is Ellipsis:
            return _of_pairs(reader, node.value, at, 1 if one else 0)
        case _:
            return None


def _of_pairs(reader: _Reader, node: ast.expr, at: int, part: int) -> _Half | None:
    """Of `pairs = x.reshape(..., -1, 2)`: the pairs side by side again."""
    made, _, place = reader.value(node, at)
    match made:
        case ast.Call(func=ast.Attribute(attr="reshape" | "view"), args=[_, *_, ast.Constant(value=2)], keywords=[]):
            pass
        case ast.Call(func=ast.Attribute(attr="unflatten"), args=[last, ast.Tuple(elts=[_, ast.Constant(value=2)])]):
            if ast.unparse(last) != "-1":
                return None
        case _:
            return None
    if place is not None:
        return None
    text = reader.scope.text(made)
    return _Half(f"{text}.flatten(-2)", part)
