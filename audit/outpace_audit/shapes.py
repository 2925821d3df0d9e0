"""Other shapes of a workload: which dimensions may be one symbol, and which sizes to try for it."""

from __future__ import annotations

import bisect
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from outpace_audit.records import NUMBER, ArgSpec, Law, Workload
from outpace_audit.thresholds import LARGER, LARGER_S, MOST_ELEMENTS, WIDE_ELEMENTS, WIDE_GROWTH

DRAWN = ("laws", "captured")
"""Makers of workloads whose arguments have laws; the others' are fitted."""

SCALAR = -1
"""Stands for the value of a plain argument where a place would name a dimension."""

DEGENERATE = ("one", "empty")
"""A constant for the declared size may be right here by accident: a softmax over nothing has no scale."""

JOINT, JOINT_LARGER = "joint", "joint larger"
"""All symbols at once: one call shows whatever takes one size for another, or which of two is larger for granted; and
whatever is right up to some size only."""

WIDE = "wide"
"""So large that some tensor has more elements than 16 bits count."""

PLANE = "plane"
"""Height and width of images of which there are as many, without their number: far larger than where all three grow."""

LEAST = "least"
"""As small as the baseline bears, or an eighth more, where it bears no size of one: what takes parts of a fixed size
from both ends meets itself there."""

EXCHANGED = "exchanged"
"""One of two dimensions of a size doubled, and then the other: what is kept by their product, their sum or their number
is the first one's when the second comes."""

BATCHED = "batched"
"""Every tensor with one more dimension in front, where the baseline takes that for a batch."""

BATCH = 3

LARGEST = "larger"
"""Up to `thresholds.LARGER` times the declared size."""

KINDS = ("odd", "prime", "multiple", LARGEST, *DEGENERATE)
TELLING = ("odd", "multiple", LARGEST)
APART = ("odd", "prime", LARGEST)
"""Where a baseline refuses all of TELLING, the dimension is fixed (a parameter's, a table's)."""

LAST = "multiple"
"""Tried only where a candidate refuses another size: whole blocks and the declared sizes' divisors hold there too."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """Dimensions of one size that change together: (argument, dimension) places."""

    size: int
    places: tuple[tuple[int, int], ...]

    def text(self, args: Sequence[ArgSpec], size: int) -> str:
        names = [args[arg].name + ("" if dim == SCALAR else f".shape[{dim}]") for arg, dim in self.places]
        return f"{', '.join(names[:3])}{', ...' if len(names) > 3 else ''} {self.size} -> {size}"


def argument_specs(workload: Workload, inspected: Mapping[str, Any]) -> tuple[ArgSpec, ...] | str:
    """The arguments as specs that can be drawn at any shape, or why that cannot be done."""
    if workload.maker in DRAWN:
        return workload.args
    plain: Sequence[Any] | None = inspected["plain"]
    if plain is None:
        return "its arguments are nested"
    tensors = iter(inspected["inputs"])
    specs: list[ArgSpec] = []
    for i, value in enumerate(plain):
        name = workload.args[i].name if len(workload.args) == len(plain) else f"input{i}"
        if not isinstance(value, Mapping):
            specs.append(ArgSpec(name, value=value))
            continue
        if NUMBER in value:
            specs.append(ArgSpec(name, dtype="float64", value=value[NUMBER]))
            continue
        one = next(tensors)
        law = workload.args[i].law if len(workload.args) == len(plain) else None
        if law is None and one["law"] is None:
            return f"{name} looks like a mask by position, offsets or a table: nobody can say how it grows"
        law, grad = law or Law(**one["law"]), bool(one["requires_grad"])
        specs.append(ArgSpec(name, tuple(one["shape"]), one["dtype"], law, requires_grad=grad))
    return tuple(specs)


def alternatives(args: Sequence[ArgSpec]) -> list[list[list[Symbol]]]:
    """For each size that occurs, what may be one symbol, to be tried in order: all its places with plain arguments of
    that value, all dimensions, those at one distance from the front each, those at one distance from the back."""
    places: dict[int, list[tuple[int, int]]] = {}
    for i, arg in enumerate(args):
        for dim, size in enumerate(arg.shape or ()):
            places.setdefault(size, []).append((i, dim))
    found: list[list[list[Symbol]]] = []
    for size, where in places.items():
        if size == 0:
            continue
        scalars = [(i, SCALAR) for i, arg in enumerate(args) if type(arg.value) is int and arg.value == size > 1]
        options = [[where + scalars]] if scalars else []
        options.append([where])
        options.append(_split(where, lambda i, dim: dim))
        options.append(_split(where, lambda i, dim: dim - len(args[i].shape or ())))
        found.append([[Symbol(size, tuple(part)) for part in option] for option in options])
    return found


def apart(symbol: Symbol) -> list[Symbol]:
    """Where dimensions of one size have changed together: those at one distance from the front each, which the baseline
    may bear alone too (height and width, queries and keys)."""
    dims = [place for place in symbol.places if place[1] != SCALAR]
    parts = _split(dims, lambda i, dim: dim)
    return [Symbol(symbol.size, tuple(part)) for part in parts] if len(parts) > 1 else []


def plane(symbol: Symbol) -> Symbol | None:
    """Of dimensions of one size all but those at the front, where two are left in some argument."""
    inner = tuple((i, dim) for i, dim in symbol.places if dim > 0)
    twice = max(Counter(i for i, _ in inner).values(), default=0) > 1
    return Symbol(symbol.size, inner) if twice and len(inner) < len(symbol.places) else None


def _split(where: list[tuple[int, int]], key: Any) -> list[list[tuple[int, int]]]:
    parts: dict[int, list[tuple[int, int]]] = {}
    for i, dim in where:
        parts.setdefault(key(i, dim), []).append((i, dim))
    return list(parts.values())


def least_size(args: Sequence[ArgSpec], size: int) -> int:
    """Integers that all lie below a size may index it: it must not fall below them."""
    return max((high for arg in args if (high := _end(arg)) <= size), default=0)


def _end(arg: ArgSpec) -> int:
    """One above the largest integer that the argument's law draws; 0 where it draws none."""
    law, shape = arg.law, arg.shape or (0,)
    if law is None:
        return 0
    if law.kind in ("integers", "sorted_integers"):
        return int(law.params["high"])
    if law.kind == "fixed":
        return 1 + max(map(int, str(law.params["values"]).split(",")))
    return shape[-1] if law.kind in ("permutation", "arange") else 0


def size_of(kind: str, size: int, chance: random.Random, most: float = 2.0) -> int:
    """A size of one kind, at most about twice the declared one, so that a call's cost stays of the same order. Larger
    ones are up to `most` times that, and three quarters of it at least: smaller ones are met by other kinds."""
    if kind == "one":
        return 1
    if kind == "empty":
        return 0
    if kind == "odd":
        return chance.randrange(3, max(6, size + 1), 2)
    if kind == "prime":
        return _prime_from(chance.randrange(2, 2 * size + 4))
    if kind == "multiple":
        return size // 2 if size % 2 == 0 and chance.random() < 0.5 else 2 * size
    return size + 1 + int(size * (most * chance.uniform(0.75, 1) - 1))


def largest_factor(args: Sequence[ArgSpec], symbol: Symbol, seconds: float) -> float:
    """How much larger than declared a symbol's size may be for a baseline that takes `seconds`: from twice to LARGER
    times, within LARGER_S, were the cost to grow as the largest tensor does, or as the square of the size, and
    within a quarter of MOST_ELEMENTS."""
    powers = Counter(arg for arg, dim in symbol.places if dim != SCALAR)
    power = max([2, *powers.values()])
    elements = {i: math.prod(arg.shape or (0,)) for i, arg in enumerate(args)}

    def fits(factor: float) -> bool:
        grown = sum(size * factor ** powers.get(i, 0) for i, size in elements.items())
        return seconds * factor**power <= LARGER_S and grown <= MOST_ELEMENTS / 4

    return next((quarters / 4 for quarters in range(round(4 * LARGER), 8, -1) if fits(quarters / 4)), 2.0)


def wide_size(args: Sequence[ArgSpec], symbol: Symbol, chance: random.Random) -> int | None:
    """A size at which a tensor that has the symbol passes WIDE_ELEMENTS; None where it does so as declared, or where
    that takes a size more than WIDE_GROWTH times the declared one."""

    def elements(size: int) -> int:
        numbers = {arg: math.prod(args[arg].shape or ()) for arg, _ in symbol.places}
        powers = Counter(arg for arg, dim in symbol.places if dim != SCALAR)
        return max((numbers[arg] * size**power // symbol.size**power for arg, power in powers.items()), default=0)

    if elements(symbol.size) > WIDE_ELEMENTS:
        return None
    sizes = range(symbol.size, WIDE_GROWTH * symbol.size + 1)
    least = bisect.bisect_right(sizes, WIDE_ELEMENTS, key=elements)
    return sizes[least] + chance.randrange(8) if least < len(sizes) else None


def joint_sizes(
    args: Sequence[ArgSpec], symbols: Sequence[Symbol], chance: random.Random, *, reverse: bool = False
) -> list[int]:
    """An odd size for each symbol, smaller than the declared one where that may be, no two alike. `reverse`: the
    smaller the declared one, the larger."""
    drawn = [size_of("odd", symbol.size, chance) for symbol in symbols]
    if reverse:
        ranked = sorted(range(len(symbols)), key=lambda i: symbols[i].size)
        by_rank = dict(zip(ranked, sorted(drawn, reverse=True), strict=True))
        drawn = [by_rank[i] for i in range(len(symbols))]
    sizes: list[int] = []
    for symbol, size in zip(symbols, drawn, strict=True):
        above = max(size, symbol.size)
        while size in sizes or size < least_size(args, symbol.size):
            above += 1
            size = above
        sizes.append(size)
    return sizes


def joint_larger_sizes(args: Sequence[ArgSpec], symbols: Sequence[Symbol], chance: random.Random) -> list[int] | None:
    """Each two to three times the declared size; None where the arguments would have over MOST_ELEMENTS together."""
    sizes = [2 * symbol.size + chance.randrange(1, symbol.size + 2) for symbol in symbols]
    elements = {i: math.prod(arg.shape or (0,)) for i, arg in enumerate(args)}
    for symbol, size in zip(symbols, sizes, strict=True):
        for i, dim in symbol.places:
            elements[i] = elements[i] * size // symbol.size if dim != SCALAR else elements[i]
    return sizes if sum(elements.values()) <= MOST_ELEMENTS else None


def batched(workload: Workload, args: Sequence[ArgSpec]) -> Workload:
    """The workload with one more dimension in front of every tensor."""
    grown = [arg if arg.shape is None else replace(arg, shape=(BATCH, *arg.shape), stride=None) for arg in args]
    maker = workload.maker if workload.maker in DRAWN else "laws"
    return replace(workload, label=f"{workload.label}, a batch of {BATCH}", maker=maker, args=tuple(grown), entry=None)


def _grown(arg: ArgSpec, size: int, wanted: int) -> ArgSpec:
    law = arg.law
    if law is None or law.params.get("order") != "falls" or not size // 2 < int(law.params["high"]) <= size < wanted:
        return arg
    return replace(arg, law=replace(law, params={**law.params, "high": int(law.params["high"]) * wanted // size}))


def _prime_from(least: int) -> int:
    while any(least % factor == 0 for factor in range(2, math.isqrt(least) + 1)):
        least += 1
    return least


def resized_jointly(
    workload: Workload, args: Sequence[ArgSpec], symbols: Sequence[Symbol], sizes: Sequence[int]
) -> Workload:
    """`resized` by one symbol after the other; they share no place."""
    for symbol, size in zip(symbols, sizes, strict=True):
        workload = resized(workload, args, symbol, size)
        args = workload.args
    return workload


def resized(workload: Workload, args: Sequence[ArgSpec], symbol: Symbol, size: int) -> Workload:
    """The workload with one symbol at another size, drawn by the laws of `args`. Places that fall along a batch grow
    with the size that they lie in: a table that ends before it shows."""
    changed = [_grown(arg, symbol.size, size) for arg in args]
    for i, dim in symbol.places:
        arg = changed[i]
        if dim == SCALAR:
            changed[i] = replace(arg, value=size)
        else:
            shape = arg.shape or ()
            changed[i] = replace(arg, shape=(*shape[:dim], size, *shape[dim + 1 :]), stride=None)
    label = f"{workload.label}, {symbol.text(args, size)}"
    maker = workload.maker if workload.maker in DRAWN else "laws"
    return replace(workload, label=label, maker=maker, args=tuple(changed), entry=None)
