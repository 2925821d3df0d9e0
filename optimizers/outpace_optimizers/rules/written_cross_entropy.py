"""written-cross-entropy: log-probabilities taken at the targets become `torch.nn.functional.cross_entropy`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from outpace_audit.records import Code, Idea, NumericsClass

from .formula_sites import Found, formula_ideas
from .scope import Scope
from .terms import Term
from .written_softmax import Soft, log_softmax, softmax

_CALL = "torch.nn.functional.cross_entropy"


@dataclass(frozen=True, slots=True)
class Taken:
    """Probabilities at the targets. `rows`: classes are the last of two dimensions, or the second."""

    soft: Soft
    targets: Term
    rows: bool
    logarithm: bool
    shape: Literal["rows", "column", "mean", "sum"]
    negative: bool = False
    last: int = -1
    """The dimension of the classes, where it is counted from the front and not the second."""
    least: str = ""
    """A dtype that the one-hot targets had, with which the result's is the wider one."""


class WrittenCrossEntropy:
    id = "written-cross-entropy"
    title = "Compute a cross entropy in one call"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/written-cross-entropy.md"
    needs = frozenset({"exp", "softmax", "Softmax", "log_softmax", "LogSoftmax", "logsumexp"})

    def propose(self, code: Code) -> Iterator[Idea]:
        why = "the library's loss: no one-hot targets or logarithms of probabilities but those of the targets"
        yield from formula_ideas(code, self, cross_entropy, "{calls}", why)


def cross_entropy(scope: Scope, term: Term) -> Found | None:
    taken = _taken(term)
    if taken is None or not taken.logarithm or taken.shape == "column":
        return None
    reduction = {"mean": "", "sum": ', reduction="sum"', "rows": ', reduction="none"'}[taken.shape]
    operands = {"x": taken.soft.of, "t": taken.targets}
    x = "{x}"
    if taken.least:
        if not isinstance(taken.soft.of.node, (ast.Name, ast.Attribute)) or scope.names.table.get("torch") != "torch":
            return None
        x = f"{{x}}.to(torch.promote_types({{x}}.dtype, {taken.least}))"
    rank = int(taken.soft.shifted)
    if taken.rows:
        return Found(_CALL, f"{x}, {{t}}{reduction}", operands, rank, "", not taken.negative)
    front = f"0, {taken.last - 1}" if taken.last > 0 else "0, -2"  # raises for more dimensions than were counted
    suffix = ".view_as({t})" if taken.shape == "rows" else ""
    return Found(_CALL, f"{x}.flatten({front}), {{t}}.flatten(){reduction}", operands, rank, suffix, not taken.negative)


def _taken(term: Term) -> Taken | None:
    match term:
        case Term(op="neg", args=(inner,)):
            return _negated(_taken(inner))
        case Term(op="mul", args=(Term(op="number", value=-1.0), inner)):
            return _negated(_taken(inner))
        case Term(op="mul", args=(inner, Term(op="number", value=-1.0))):
            return _negated(_taken(inner))
        case Term(op="mean" | "sum", args=(inner,)):
            return _reduced(term.op, inner)
        case Term(op="sum", args=(inner, dim)):
            return _of_one_hot(inner, dim)
        case Term(op="squeeze" | "squeeze_all", args=(inner,)):
            return _squeezed(term, _taken(inner))
        case Term(op="log", args=(inner,)):
            return _logarithm(_taken(inner))
        case Term(op="picked", args=(inner, targets, Term(op="rows", args=(counted,)))):
            taken = _at(inner, targets, {-1, 1}, "rows")
            return taken if taken is not None and counted in (inner, targets, taken.soft.of) else None
        case Term(op="sub", args=(Term(op="logsumexp", value="", args=(_, _)) as whole, picked)):
            return _negated(_apart(whole, picked))
        case Term(op="sub", args=(picked, Term(op="logsumexp", value="", args=(_, _)) as whole)):
            return _apart(whole, picked)
        case Term(op="gather", args=(inner, dim, Term(op="unsqueeze" | "column", args=(targets,)) as index)):
            return _gathered(inner, dim, targets, index)
        case _:
            return None


def _negated(taken: Taken | None) -> Taken | None:
    return replace(taken, negative=not taken.negative) if taken is not None else None


def _apart(whole: Term, picked: Term) -> Taken | None:
    """x[t] - logsumexp(x), where both have the targets' shape: a column less a row is all of their pairs."""
    taken = _taken(_with_logarithms(picked, Term("log_softmax", whole.args)))
    return taken if taken is not None and taken.shape == "rows" else None


def _with_logarithms(term: Term, logarithms: Term) -> Term:
    """Elements of x as those of its log-probabilities."""
    if not term.args or term.op not in ("squeeze", "gather", "picked"):
        return term
    first = term.args[0]
    inner = logarithms if first == logarithms.args[0] else _with_logarithms(first, logarithms)
    return replace(term, args=(inner, *term.args[1:]))


def _logarithm(taken: Taken | None) -> Taken | None:
    if taken is None or taken.logarithm or taken.negative or taken.shape not in ("rows", "column"):
        return None
    return replace(taken, logarithm=True)


def _reduced(op: str, inner: Term) -> Taken | None:
    """The mean over all is the targets' only where nothing but their elements is left."""
    taken = _taken(inner) or (_of_one_hot(inner, None) if op == "sum" else None)
    if taken is None or taken.shape not in ("rows", "column"):
        return None
    return replace(taken, shape="mean" if op == "mean" else "sum")


def _squeezed(term: Term, taken: Taken | None) -> Taken | None:
    """`squeeze()` without a dimension may take others too, which only a mean or sum does not see."""
    if taken is None or taken.shape != "column":
        return None
    dims = {1, -1} if taken.rows else {taken.last}
    if term.op == "squeeze":
        return replace(taken, shape="rows") if term.value in dims else None
    return taken


def _at(inner: Term, targets: Term, dims: set[int], shape: Literal["rows", "column"], front: int = 1) -> Taken | None:
    """`front`: which dimension from the front may be the one of the softmax."""
    logarithm = log_softmax(inner)
    soft = logarithm or softmax(inner)
    if soft is None or soft.dim.op != "number" or soft.dim.value not in (front, -1):
        return None
    last = front > 1 or (soft.dim.value == -1 and dims == {-1})
    return Taken(soft, targets, not last, logarithm is not None, shape)


def _gathered(inner: Term, dim: Term, targets: Term, index: Term) -> Taken | None:
    """At `targets.unsqueeze(dim)`, or at a column of them, which is that of rows."""
    if dim.op == "number" and dim.value in (2, 3) and (index.op, index.value) == ("unsqueeze", dim.value):
        taken = _at(inner, targets, {-1}, "column", int(dim.value))
        return replace(taken, last=int(dim.value)) if taken is not None else None
    if dim.op != "number" or dim.value not in (1, -1):
        return None
    if index.op == "unsqueeze" and index.value not in (1, -1):
        return None
    places = {int(dim.value)} | ({1} if index.op == "column" else {int(float(index.value))})
    return _at(inner, targets, places, "column")


def _of_one_hot(inner: Term, dim: Term | None) -> Taken | None:
    """sum(one_hot(t) * log p), over the classes or over all."""
    match inner:
        case Term(op="neg", args=(within,)):
            return _negated(_of_one_hot(within, dim))
        case Term(op="mul", args=(Term(op="neg", args=(left,)), right)):
            return _negated(_of_one_hot(Term("mul", (left, right)), dim))
        case Term(op="mul", args=(left, Term(op="neg", args=(right,)))):
            return _negated(_of_one_hot(Term("mul", (left, right)), dim))
        case Term(op="mul", args=(left, right)):
            pass
        case _:
            return None
    for hot, other in ((left, right), (right, left)):
        least = str(hot.value) if hot.op == "cast" else ""
        hot = hot.args[0] if hot.op == "cast" else hot
        if hot.op == "one_hot":
            dims = {-1} if dim is None else {int(float(dim.value))} if dim.op == "number" else {0}
            taken = _at(other, hot.args[0], dims, "rows") if dims <= {1, -1} else None
            return replace(taken, least=least) if taken is not None else None
    return None


RULE = WrittenCrossEntropy()
