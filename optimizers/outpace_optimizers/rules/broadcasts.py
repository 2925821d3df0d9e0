"""Two tensors broadcast against each other: which dimension of either stands where, and which contraction it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .attention_ops import integer, pick
from .ranks import Ranks
from .spread import Spread

_MOST = 5
"""Dimensions of a result that are tried where the code does not say how many there are."""


@dataclass(frozen=True)
class New:
    """`unsqueeze(place)`."""

    place: int


@dataclass(frozen=True)
class Index:
    """`[:, None, ...]` as `(":", "N", ".")`."""

    entries: tuple[str, ...]


@dataclass(frozen=True)
class Expand:
    """To `count` dimensions; None where nothing says how many."""

    count: int | None


Step = New | Index | Expand
Layout = list[int | None]
"""Of each dimension: which one of the base it is, None for a new one."""


@dataclass(frozen=True)
class Operand:
    """`base` after `steps`, innermost first."""

    base: ast.expr
    steps: tuple[Step, ...]
    known: int | None
    """How many dimensions the base has, where that is known."""

    def layout(self, rank: int) -> Layout | None:
        """None where a base of that rank does not take the steps."""
        dims: Layout | None = [*range(rank)]
        for step in self.steps:
            dims = _after(dims, step) if dims is not None else None
        return dims

    def ranks(self) -> Iterator[int]:
        yield from range(1, _MOST + 1) if self.known is None else (self.known,)


def _after(dims: Layout, step: Step) -> Layout | None:
    match step:
        case New(place):
            place = place if place >= 0 else place + len(dims) + 1
            return [*dims[:place], None, *dims[place:]] if 0 <= place <= len(dims) else None
        case Expand(count):
            missing = 0 if count is None else count - len(dims)
            return [None] * missing + dims if missing >= 0 else None
        case Index(entries):
            return _indexed(dims, entries)


def _indexed(dims: Layout, entries: Sequence[str]) -> Layout | None:
    taken = sum(entry == ":" for entry in entries)
    if taken > len(dims):
        return None
    rest, found = list(dims), Layout()
    for place, entry in enumerate(entries):
        if entry == ".":
            later = sum(item == ":" for item in entries[place + 1 :])
            found += rest[: len(rest) - later]
            rest = rest[len(rest) - later :]
        else:
            found.append(None if entry == "N" else rest.pop(0))
    return found + rest


def operand(spread: Spread, node: ast.expr, ranks: Ranks) -> Operand:
    """What `node` is without its new dimensions."""
    steps: list[Step] = []
    while (found := _step(spread, node)) is not None:
        node, step = found
        steps.append(step)
    return Operand(node, tuple(reversed(steps)), ranks.of(node))


def take(spread: Spread, node: ast.expr) -> None:
    """Takes the names that `operand` looked through."""
    while (found := _step(spread, node)) is not None:
        spread.take(node)
        node = found[0]


def _step(spread: Spread, node: ast.expr) -> tuple[ast.expr, Step] | None:
    """One new dimension less."""
    node = spread.value(node)
    if isinstance(node, ast.Subscript):
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        entries = tuple(_entry(item) for item in items)
        plain = "" not in entries and entries.count(".") <= 1
        return (node.value, Index(entries)) if plain and "N" in entries else None
    call = spread.scope.names.call(node)
    if call is None or not call[1]:
        return None
    name, args, keys = call
    if name in (".unsqueeze", "torch.unsqueeze") and len(args) + len(keys) == 2:
        place = integer(pick(args, keys, 1, "dim"))
        return (args[0], New(place)) if place is not None else None
    if name == ".expand" and len(args) > 1 and not keys:
        sizes = args[1].elts if len(args) == 2 and isinstance(args[1], (ast.Tuple, ast.List)) else args[1:]
        several = len(sizes) > 1 and not any(isinstance(size, ast.Starred) for size in sizes)
        return args[0], Expand(len(sizes) if several else None)
    if name == ".expand_as" and len(args) == 2 and not keys:
        return args[0], Expand(None)
    return None


def _entry(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=None):
            return "N"
        case ast.Constant(value=value) if value is ...:
            return "."
        case ast.Slice(lower=None, upper=None, step=None):
            return ":"
        case _:
            return ""


@dataclass(frozen=True)
class Contraction:
    """`ik,jk->ij`; `batched`: further dimensions may lead in all three."""

    left: str
    right: str
    out: str
    batched: bool = False

    @property
    def equation(self) -> str:
        dots = "..." if self.batched else ""
        return f"{dots}{self.left},{dots}{self.right}->{dots}{self.out}"

    @property
    def core(self) -> Contraction:
        """Without the letters that lead in all three."""
        left, right, out = self.left, self.right, self.out
        while left[:1] and left[0] == right[:1] == out[:1]:
            left, right, out = left[1:], right[1:], out[1:]
        return Contraction(left, right, out, self.batched or out != self.out)


def contraction(left: Operand, right: Operand, dims: Sequence[int]) -> Contraction | None:
    """What the sum over `dims` of the product is; None where no new dimension saves anything."""
    found = next(_readings(left, right, dims), None)
    if found is None or left.known is not None or right.known is not None:
        return found[2] if found is not None else None
    made = found[2]
    more = _reading(left.layout(found[0] + 1), right.layout(found[1] + 1), dims)
    return Contraction(made.left, made.right, made.out, batched=more is not None and _leads(more, made))


def _leads(more: Contraction, made: Contraction) -> bool:
    """Whether one dimension more is a leading one of all three."""
    if not more.left[:1] == more.right[:1] == more.out[:1]:
        return False
    return _renamed(more.left[1:], more.right[1:], more.out[1:]) == _renamed(made.left, made.right, made.out)


def _readings(left: Operand, right: Operand, dims: Sequence[int]) -> Iterator[tuple[int, int, Contraction]]:
    """With the fewest dimensions first, and first those where both have as many."""
    pairs = [(one, two) for one in left.ranks() for two in right.ranks()]
    layouts = [(one, two, left.layout(one), right.layout(two)) for one, two in pairs]
    fitting = [item for item in layouts if item[2] is not None and item[3] is not None]
    for one, two, first, second in sorted(fitting, key=_size):
        made = _reading(first, second, dims)
        if made is not None:
            yield one, two, made


def _size(item: tuple[int, int, Layout | None, Layout | None]) -> tuple[bool, int]:
    first, second = len(item[2] or ()), len(item[3] or ())
    return first != second, max(first, second)


def _reading(left: Layout | None, right: Layout | None, dims: Sequence[int]) -> Contraction | None:
    if left is None or right is None or not (None in left or None in right):
        return None
    size = max(len(left), len(right))
    left, right = [None] * (size - len(left)) + left, [None] * (size - len(right)) + right
    summed = {dim + size if dim < 0 else dim for dim in dims}
    if size > _MOST or not all(0 <= dim < size for dim in summed) or len(summed) == size:
        return None
    if any(one is None and two is None for one, two in zip(left, right, strict=True)):
        return None
    if any(left[dim] is None or right[dim] is None for dim in summed):
        return None
    letters = _letters(left, right, summed)
    first = "".join(letter for letter, one in zip(letters, left, strict=True) if one is not None)
    second = "".join(letter for letter, one in zip(letters, right, strict=True) if one is not None)
    return Contraction(first, second, "".join(item for dim, item in enumerate(letters) if dim not in summed))


def _letters(left: Layout, right: Layout, summed: set[int]) -> list[str]:
    """k and on for what is summed, i and j for what one side has, b and on for what both have."""
    both, own, gone = iter("bcdef"), iter("ijmn"), iter("klpqr")
    return [
        next(gone) if dim in summed else next(own if one is None or two is None else both)
        for dim, (one, two) in enumerate(zip(left, right, strict=True))
    ]


def _renamed(*parts: str) -> list[str]:
    """The same for equations that differ in letters alone."""
    order = dict.fromkeys("".join(parts))
    table = {letter: chr(ord("a") + place) for place, letter in enumerate(order)}
    return ["".join(table[letter] for letter in part) for part in parts]
