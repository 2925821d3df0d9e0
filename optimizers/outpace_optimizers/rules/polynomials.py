"""Formulas in one form: sums of products of powers, so that two spellings of a formula compare equal.

Factors are multiplied out, constants come first, and what has a name of its own is called by it: 1 / (1 + exp(-x)) is
sigmoid(x), log(1 + exp(x)) is softplus(x), and everything that cuts off at a number is a clamp.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from .terms import NONE, Term

_DIGITS = 6
"""To which constants of one formula are the same: about what fp32 has."""
_LARGEST_POWER = 6
_MOST_TERMS = 24


@dataclass(frozen=True, slots=True)
class Atom:
    """A function of polynomials, or a leaf."""

    op: str
    args: tuple[Poly, ...] = ()
    value: float | str = ""


Powers = frozenset[tuple[Atom, float]]
_ONE: Powers = frozenset()


@dataclass(frozen=True, slots=True)
class Poly:
    terms: frozenset[tuple[Powers, float]]

    @property
    def constant(self) -> float | None:
        if not self.terms:
            return 0.0
        (powers, factor), *more = self.terms
        return factor if not more and not powers else None


class TooLargeError(ValueError):
    """No formula of the tables has so many terms."""


def polynomial(term: Term, chosen: Mapping[Term, str]) -> Poly:
    """Of a term in which those `chosen` are called by a name. Raises TooLargeError."""
    if term in chosen:
        return of_atom(Atom(chosen[term]))
    if term.op == "number":
        return of_number(float(term.value))
    parts = [polynomial(arg, chosen) for arg in term.args]
    match term.op, parts:
        case "add", [left, right]:
            return plus(left, right)
        case "sub", [left, right]:
            return plus(left, times(of_number(-1), right))
        case "neg", [inner]:
            return times(of_number(-1), inner)
        case "mul", [left, right]:
            return times(left, right)
        case "div", [left, right]:
            return times(left, power(right, -1))
        case "pow", [base, exponent]:
            known = exponent.constant
            return power(base, known) if known is not None else of_atom(Atom("pow", (base, exponent)))
        case _:
            return _function(term, parts)


def of_number(value: float) -> Poly:
    return Poly(frozenset({(_ONE, value)} if value else ()))


def of_atom(atom: Atom, exponent: float = 1) -> Poly:
    return Poly(frozenset({(frozenset({(atom, exponent)}), 1.0)}))


def plus(left: Poly, right: Poly) -> Poly:
    return _collected([*left.terms, *right.terms])


def times(left: Poly, right: Poly) -> Poly:
    return _collected([(_joined(a, b), x * y) for a, x in left.terms for b, y in right.terms])


def _collected(parts: list[tuple[Powers, float]]) -> Poly:
    found: dict[Powers, float] = {}
    for powers, factor in parts:
        found[powers] = found.get(powers, 0.0) + factor
    if len(found) > _MOST_TERMS:
        raise TooLargeError
    return Poly(frozenset((powers, rounded) for powers, factor in found.items() if (rounded := _round(factor, 12))))


def _joined(left: Powers, right: Powers) -> Powers:
    found = dict(left)
    for atom, exponent in right:
        found[atom] = found.get(atom, 0.0) + exponent
    return frozenset((atom, exponent) for atom, exponent in found.items() if exponent)


def power(base: Poly, exponent: float) -> Poly:
    known = base.constant
    if known is not None and known > 0:
        return of_number(known**exponent)
    if exponent in range(1, _LARGEST_POWER + 1):
        result = base
        for _ in range(int(exponent) - 1):
            result = times(result, base)
        return result
    if exponent == int(exponent) and len(base.terms) == 1:
        ((powers, factor),) = base.terms
        inverse = frozenset((atom, own * exponent) for atom, own in powers)
        return Poly(frozenset({(inverse, _round(factor**exponent, 12))}))
    inside = _logistic(base) if exponent == -1 else None
    return of_atom(Atom("sigmoid", (inside,))) if inside is not None else of_atom(Atom("sum", (base,)), exponent)


def _logistic(base: Poly) -> Poly | None:
    """x of 1 + exp(-x)."""
    inside = _one_plus_exp(base)
    return times(of_number(-1), inside) if inside is not None else None


def _one_plus_exp(poly: Poly) -> Poly | None:
    """x of 1 + exp(x)."""
    parts = dict(poly.terms)
    if len(parts) != 2 or not math.isclose(parts.pop(_ONE, 0.0), 1, rel_tol=1e-9):
        return None
    ((powers, factor),) = parts.items()
    atoms = list(powers)
    if factor != 1 or len(atoms) != 1 or atoms[0][0].op != "exp" or atoms[0][1] != 1:
        return None
    return atoms[0][0].args[0]


def _function(term: Term, parts: list[Poly]) -> Poly:
    if term.op == "where" and term.args[0].op in ("gt", "lt"):
        return _chosen(parts)
    if term.op in ("maximum", "minimum"):
        return _extreme(term, parts)
    match term.op, parts:
        case "sqrt" | "rsqrt", [inner]:
            return power(inner, 0.5 if term.op == "sqrt" else -0.5)
        case "square", [inner]:
            return power(inner, 2)
        case "reciprocal", [inner]:
            return power(inner, -1)
        case "expm1", [inner]:
            return plus(of_atom(Atom("exp", (inner,))), of_number(-1))
        case "log1p", [inner]:
            return _logarithm(plus(inner, of_number(1)))
        case "log", [inner]:
            return _logarithm(inner)
        case "silu", [inner]:
            return times(inner, of_atom(Atom("sigmoid", (inner,))))
        case "relu", [inner]:
            return _clamped(inner, of_number(0), _nothing())
        case "relu6", [inner]:
            return _clamped(inner, of_number(0), of_number(6))
        case "hardsigmoid", [inner]:
            return times(of_number(1 / 6), _clamped(plus(inner, of_number(3)), of_number(0), of_number(6)))
        case "clamp", [inner, low, high]:
            return _clamped(inner, low, high)
        case "zeros_like", _:
            return of_atom(Atom("zeros", tuple(parts)))
        case "gt" | "lt", [left, right]:
            larger, smaller = (left, right) if term.op == "gt" else (right, left)
            return of_atom(Atom("positive", (plus(larger, times(of_number(-1), smaller)),)))
        case _:
            return of_atom(Atom(term.op, tuple(parts), term.value))


def _nothing() -> Poly:
    return of_atom(Atom(NONE.op))


def _logarithm(inner: Poly) -> Poly:
    exponent = _one_plus_exp(inner)
    return of_atom(Atom("log", (inner,)) if exponent is None else Atom("softplus", (exponent,)))


def _chosen(parts: list[Poly]) -> Poly:
    """`where`, of a test for more than zero. Which side zero is on makes no difference to a continuous function."""
    ((powers, _),) = parts[0].terms
    ((positive, _),) = powers
    return of_atom(Atom("where", (*positive.args, *parts[1:])))


def _extreme(term: Term, parts: list[Poly]) -> Poly:
    left, right = parts
    for inner, end in ((left, right), (right, left)):
        zero = end == of_atom(Atom("zeros", (inner,)))
        if zero or end.constant is not None:
            limit = of_number(0) if zero else end
            ends = (limit, _nothing()) if term.op == "maximum" else (_nothing(), limit)
            return _clamped(inner, *ends)
    return of_atom(Atom(term.op, (left, right)))


def _clamped(inner: Poly, low: Poly, high: Poly) -> Poly:
    """Clamped from below and then from above is clamped from both sides."""
    nothing = _nothing()
    if low == nothing and len(inner.terms) == 1:
        ((powers, factor),) = inner.terms
        atoms = list(powers)
        if factor == 1 and len(atoms) == 1 and atoms[0][0].op == "clamp" and atoms[0][1] == 1:
            inside, below, above = atoms[0][0].args
            if above == nothing and (below.constant or 0) <= (high.constant or 0):
                return of_atom(Atom("clamp", (inside, below, high)))
    return of_atom(Atom("clamp", (inner, low, high)))


def rounded(poly: Poly) -> Poly:
    """With constants to as many digits as make formulas the same."""
    return Poly(frozenset((_rounded_powers(powers), _round(factor, _DIGITS)) for powers, factor in poly.terms))


def _rounded_powers(powers: Powers) -> Powers:
    return frozenset(
        (Atom(atom.op, tuple(rounded(arg) for arg in atom.args), atom.value), exponent) for atom, exponent in powers
    )


def _round(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")
