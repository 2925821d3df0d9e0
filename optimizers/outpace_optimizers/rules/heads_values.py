"""What an expression is to heads that are normalised and then turned: rows, their halves, sums of products of these."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TypeAlias

ROWS = "\0rows"
"""Stands in a text for the rows themselves."""


@dataclass(frozen=True, slots=True)
class Text:
    """Something of which no head is part, as the function with the edit spells it."""

    node: ast.expr

    @property
    def text(self) -> str:
        return ast.unparse(self.node)


@dataclass(frozen=True, slots=True)
class Heads:
    """Rows as `raw` has them, normalised, in the layout that `moves` make: each as `.transpose(1, 2)`.

    `weight`: the gain. `strict`: whether the result has the rows' dtype whatever the gain has.
    """

    raw: ast.expr
    weight: str | None
    eps: str
    strict: bool
    moves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """A `part` of heads, with its sign, by a table: all of a head, a half, or its halves swapped, the first negated."""

    part: str
    positive: bool = True
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """A sum of them. `wide`: in fp32."""

    heads: Heads
    terms: tuple[Term, ...]
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Turned:
    """Heads after the rotation. `wide`: left in fp32. `cast`: brought to the rows' dtype."""

    heads: Heads
    cos: str
    sin: str
    positive: bool
    wide: bool = False
    cast: bool = False


@dataclass(frozen=True, slots=True)
class Size:
    """Of a head, or of half of one."""

    half: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """The heads' dtype."""


Value: TypeAlias = "Text | Terms | Turned | Size | Kind | tuple[Value | None, ...]"


def times(value: Terms, table: ast.expr) -> Terms | None:
    """By a table, whose sign may be written with it."""
    positive = True
    while isinstance(table, ast.UnaryOp) and isinstance(table.op, ast.USub):
        table, positive = table.operand, not positive
    if any(term.table is not None for term in value.terms):
        return None
    text = ast.unparse(table)
    made = tuple(Term(term.part, term.positive is positive, text) for term in value.terms)
    return Terms(value.heads, made, value.wide)


def negated(value: Terms) -> Terms:
    return Terms(value.heads, tuple(Term(term.part, not term.positive, term.table) for term in value.terms), value.wide)


def added(one: Terms, two: Terms) -> Terms | Turned | None:
    if one.heads != two.heads or one.wide is not two.wide:
        return None
    both = {term.part: term for term in (*one.terms, *two.terms)}
    made = Terms(one.heads, (*one.terms, *two.terms), one.wide)
    if set(both) == {"all", "swapped"} and len(made.terms) == 2:
        return _rotation(one.heads, both["all"], both["swapped"], one.wide)
    return made if set(both) == {"first", "second"} and len(made.terms) == 2 else None


def _rotation(heads: Heads, first: Term, second: Term, wide: bool) -> Turned | None:
    if first.table is None or second.table is None or not first.positive:
        return None
    return Turned(heads, first.table, second.table, second.positive, wide)


def joined(one: Terms, two: Terms) -> Terms | Turned | None:
    """One behind the other along a head: halves swapped, or both halves of the result."""
    if one.heads != two.heads or one.wide is not two.wide:
        return None
    match one.terms, two.terms:
        case [Term("second", False, None)], [Term("first", True, None)]:
            return Terms(one.heads, (Term("swapped"),), one.wide)
        case [_, _], [_, _]:
            left, right = ({term.part: term for term in each.terms} for each in (one, two))
            if set(left) != {"first", "second"} or set(right) != set(left):
                return None
            same = left["first"].table == right["second"].table and left["second"].table == right["first"].table
            signs = left["first"].positive and right["second"].positive
            turned = left["second"].positive is not right["first"].positive
            if not (same and signs and turned):
                return None
            cos, sin = left["first"].table, left["second"].table
            if cos is None or sin is None:
                return None
            return Turned(one.heads, cos, sin, right["first"].positive, one.wide)
        case _:
            return None


def half(value: Terms, first: bool) -> Terms | None:
    match value.terms:
        case [Term("all", True, None)]:
            return Terms(value.heads, (Term("first" if first else "second"),), value.wide)
        case _:
            return None


def is_plain(value: object) -> bool:
    """Whether it is heads as they are, normalised or moved, and not yet turned."""
    return isinstance(value, Terms) and value.terms == (Term("all"),)
