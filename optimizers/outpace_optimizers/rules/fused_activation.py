"""fused-activation: an activation written out by its formula becomes the library's one call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from outpace_audit.records import Code, Idea, NumericsClass
from outpace_optimizers.source import parse

from .formula_sites import Found, formula_ideas
from .names import words
from .numbers_known import is_number
from .polynomials import Poly, TooLargeError, polynomial, rounded
from .scope import Scope
from .terms import NONE, Term, TermReader, leaf

_F = "torch.nn.functional."


@dataclass(frozen=True, slots=True)
class Activation:
    """`formula` of x, and of a number a where there is one; `call` has {x} and {a}."""

    call: str
    arguments: str
    formula: str
    below_one: bool = False
    """Whether a is between 0 and 1."""


_TANH = "tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))"
_ERF = "erf(x / sqrt(2))"
_SCALE, _ALPHA = 1.0507009873554805, 1.6732632423543772
"""Of selu, which keep mean and variance."""
_GELU_TANH = '{x}, approximate="tanh"'
ACTIVATIONS = (
    Activation(_F + "gelu", _GELU_TANH, f"0.5 * x * (1 + {_TANH})"),
    Activation(_F + "gelu", _GELU_TANH, "x * sigmoid(2 * sqrt(2 / pi) * (x + 0.044715 * x**3))"),
    Activation(_F + "gelu", "{x}", f"0.5 * x * (1 + {_ERF})"),
    Activation(_F + "gelu", "{x}", "0.5 * x * erfc(-x / sqrt(2))"),
    Activation(_F + "gelu", "{x}", "x * ndtr(x)"),
    Activation(_F + "silu", "{x}", "x * sigmoid(x)"),
    Activation(_F + "mish", "{x}", "x * tanh(softplus(x))"),
    Activation(_F + "softplus", "{x}", "softplus(x)"),
    Activation(_F + "logsigmoid", "{x}", "log(sigmoid(x))"),
    Activation(_F + "logsigmoid", "{x}", "-softplus(-x)"),
    Activation("torch.sigmoid", "{x}", "sigmoid(x)"),
    Activation("torch.sigmoid", "{x}", "exp(x) / (1 + exp(x))"),
    Activation("torch.sigmoid", "{x}", "0.5 * (1 + tanh(0.5 * x))"),
    Activation("torch.tanh", "{x}", "(exp(x) - exp(-x)) / (exp(x) + exp(-x))"),
    Activation("torch.tanh", "{x}", "(exp(2 * x) - 1) / (exp(2 * x) + 1)"),
    Activation("torch.tanh", "{x}", "1 - 2 / (exp(2 * x) + 1)"),
    Activation("torch.tanh", "{x}", "2 * sigmoid(2 * x) - 1"),
    Activation(_F + "hardswish", "{x}", "x * clamp(x + 3, 0, 6) / 6"),
    Activation(_F + "hardswish", "{x}", "x * clamp(x / 6 + 0.5, 0, 1)"),
    Activation(_F + "hardsigmoid", "{x}", "clamp(x + 3, 0, 6) / 6"),
    Activation(_F + "hardsigmoid", "{x}", "clamp(x / 6 + 0.5, 0, 1)"),
    Activation(_F + "relu", "{x}", "relu(x)"),
    Activation(_F + "relu", "{x}", "where(x > 0, x, 0)"),
    Activation(_F + "relu", "{x}", "where(x > 0, x, zeros_like(x))"),
    Activation(_F + "relu", "{x}", "where(x < 0, 0, x)"),
    Activation(_F + "relu", "{x}", "where(x < 0, zeros_like(x), x)"),
    Activation(_F + "relu", "{x}", "0.5 * (x + abs(x))"),
    Activation(_F + "relu6", "{x}", "clamp(x, 0, 6)"),
    Activation(_F + "leaky_relu", "{x}, negative_slope={a}", "where(x > 0, x, a * x)"),
    Activation(_F + "leaky_relu", "{x}, negative_slope={a}", "where(x < 0, a * x, x)"),
    Activation(_F + "leaky_relu", "{x}, negative_slope={a}", "maximum(x, a * x)", below_one=True),
    Activation(_F + "leaky_relu", "{x}, negative_slope={a}", "maximum(a * x, x)", below_one=True),
    Activation(_F + "selu", "{x}", f"{_SCALE} * where(x > 0, x, {_ALPHA} * (exp(x) - 1))"),
    Activation(_F + "selu", "{x}", f"{_SCALE} * where(x < 0, {_ALPHA} * (exp(x) - 1), x)"),
    Activation(_F + "elu", "{x}", "where(x > 0, x, exp(x) - 1)"),
    Activation(_F + "elu", "{x}", "where(x < 0, exp(x) - 1, x)"),
    Activation(_F + "elu", "{x}, alpha={a}", "where(x > 0, x, a * (exp(x) - 1))"),
    Activation(_F + "elu", "{x}, alpha={a}", "where(x < 0, a * (exp(x) - 1), x)"),
)
"""Of two that come to the same formula, the first is meant."""

_COMPUTES = frozenset({
    "exp", "expm1", "tanh", "sigmoid", "erf", "erfc", "ndtr", "log", "log1p", "softplus", "clamp", "relu", "relu6",
    "hardsigmoid", "where", "gt", "lt", "maximum", "minimum", "abs",
})  # fmt: skip
_CALLS = frozenset({
    "sigmoid", "tanh", "softplus", "silu", "relu", "relu6", "hardsigmoid", "mish", "logsigmoid", "clamp",
})  # fmt: skip
"""One call already, under whatever name."""
_BRANCHES = frozenset({"where", "maximum"})
_MOST_TERMS = 60
_HEADER = """
from math import pi
from torch import abs, clamp, erf, erfc, exp, log, maximum, relu, sigmoid, sqrt, tanh, where, zeros_like
from torch.nn.functional import softplus
from torch.special import ndtr
"""


class FusedActivation:
    id = "fused-activation"
    title = "Compute an activation in one call"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/fused-activation.md"
    needs = words(
        "exp expm1 tanh Tanh sigmoid Sigmoid erf erfc ndtr log log1p softplus Softplus clamp clip clamp_min clamp_max "
        "hardtanh relu ReLU relu6 ReLU6 hardsigmoid Hardsigmoid where max min maximum minimum abs"
    )

    def propose(self, code: Code) -> Iterator[Idea]:
        why = "one kernel that reads its input once, in place of one for each operation of the formula"
        yield from formula_ideas(code, self, activation, "{calls}", why)


def activation(scope: Scope, term: Term) -> Found | None:
    """The activation that a term comes to, of one of its own operands."""
    gated = _gated(term)
    if gated is not None:
        return gated
    inside = term.all()
    computes = any(one.op in _COMPUTES for one in inside)
    if not computes or len(inside) > _MOST_TERMS or (term.op in _CALLS and not _clamped_twice(term)):
        return None
    parts, everything = list(dict.fromkeys(inside[1:])), _leaves(term)
    branches = any(one.op in _BRANCHES for one in inside)
    numbers = [one for one in parts if branches and one.op in ("number", "leaf", "opaque")]
    for operand in parts:
        for number in (None, *numbers) if operand.op not in ("number", "none") else ():
            if everything - _leaves(operand) - {number}:
                continue
            row = _row(term, operand, number)
            if row is not None and (number is None or _is_plain(scope, number)):
                named = {"x": operand} | ({"a": number} if number is not None else {})
                return Found(row.call, row.arguments, named)
    return None


def _is_plain(scope: Scope, number: Term) -> bool:
    return number.node is not None and is_number(scope, number.node)


def _gated(term: Term) -> Found | None:
    """One half times the sigmoid of the other."""
    match term:
        case Term(op="mul", args=(Term(op="half", value=0) as first, Term(op="sigmoid", args=(second,)))):
            pass
        case Term(op="mul", args=(Term(op="sigmoid", args=(second,)), Term(op="half", value=0) as first)):
            pass
        case _:
            return None
    if second != Term("half", first.args, 1):
        return None
    return Found(_F + "glu", "{x}, dim={dim}", {"x": first.args[0], "dim": first.args[1]})


def _clamped_twice(term: Term) -> bool:
    """From below, and then from above."""
    return term.op == "clamp" and term.args[0].op in ("clamp", "relu") and term.args[1] == NONE


def _leaves(term: Term) -> set[Term | None]:
    return {one for one in term.all() if one.op in ("leaf", "opaque")}


def _row(term: Term, operand: Term, number: Term | None) -> Activation | None:
    chosen = {operand: "x"} | ({number: "a"} if number is not None else {})
    try:
        row = _table().get(rounded(polynomial(term, chosen)))
    except (TooLargeError, ArithmeticError):
        return None
    if row is None or ("{a}" in row.arguments) != (number is not None):
        return None
    known = float(number.value) if number is not None and number.op == "number" else 1.0
    return row if not row.below_one or 0 < known < 1 else None


@cache
def _table() -> dict[Poly, Activation]:
    table: dict[Poly, Activation] = {}
    for row in ACTIVATIONS:
        table.setdefault(rounded(_formula(row.formula)), row)
    return table


def _formula(text: str) -> Poly:
    source = parse("formula.py", f"{_HEADER}\ndef formula(x, a):\n    return {text}\n")
    definition = source.definitions["formula"]
    assert isinstance(definition.node, ast.FunctionDef)
    result = definition.node.body[0]
    assert isinstance(result, ast.Return) and result.value is not None
    term = TermReader(Scope(source, definition, definition.node)).term(result.value, {})
    return polynomial(term, {Term("leaf", (), leaf(name, {})): name for name in ("x", "a")})


RULE = FusedActivation()
