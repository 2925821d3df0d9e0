"""written-softmax: softmax, its logarithm, or the logarithm of a sum of exponentials, written out, in one call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from outpace_audit.records import Code, Idea, NumericsClass

from .formula_sites import Found, formula_ideas
from .scope import Scope
from .terms import Term, squeezed


@dataclass(frozen=True, slots=True)
class Soft:
    """`op` of `of` over `dim`. `shifted`: its largest value was taken off first, which is what the call does too."""

    op: str
    of: Term
    dim: Term
    keeps: bool = True
    shifted: bool = False


class WrittenSoftmax:
    id = "written-softmax"
    title = "Compute a softmax in one call"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/written-softmax.md"
    needs = frozenset({"exp", "softmax", "Softmax", "logsumexp"})

    def propose(self, code: Code) -> Iterator[Idea]:
        why = "one kernel that reads each row once, and takes its largest value off: what lies between is never written"
        yield from formula_ideas(code, self, softmax_found, "{calls}", why)


def softmax_found(scope: Scope, term: Term) -> Found | None:
    soft = written(term)
    if soft is None:
        return None
    keeps = ", keepdim=True" if soft.op == "logsumexp" and soft.keeps else ""
    return Found(f"torch.{soft.op}", f"{{x}}, dim={{dim}}{keeps}", {"x": soft.of, "dim": soft.dim}, int(soft.shifted))


def written(term: Term) -> Soft | None:
    """What a term computes by more than one call."""
    match term:
        case Term(op="div", args=(numerator, total)):
            return _quotient(numerator, total)
        case Term(op="mul", args=(left, right)):
            return _quotient(left, _reciprocal(right)) or _quotient(right, _reciprocal(left))
        case Term(op="log", args=(inner,)):
            return _logarithm(inner)
        case Term(op="sub", args=(left, right)):
            return _difference(left, right)
        case Term(op="add", args=(left, right)):
            return _shifted_back(left, right) or _shifted_back(right, left)
        case _:
            return None


def softmax(term: Term) -> Soft | None:
    """A softmax, called or written out."""
    if term.op == "softmax":
        return Soft("softmax", term.args[0], term.args[1])
    soft = written(term)
    return soft if soft is not None and soft.op == "softmax" else None


def log_softmax(term: Term) -> Soft | None:
    """The logarithm of a softmax, called or written out."""
    if term.op == "log_softmax":
        return Soft("log_softmax", term.args[0], term.args[1])
    soft = written(term)
    return soft if soft is not None and soft.op == "log_softmax" else None


def _reciprocal(term: Term) -> Term | None:
    match term:
        case Term(op="reciprocal", args=(inner,)):
            return inner
        case Term(op="div", args=(Term(op="number", value=1.0), inner)):
            return inner
        case Term(op="pow", args=(inner, Term(op="number", value=-1.0))):
            return inner
        case _:
            return None


def _quotient(numerator: Term, total: Term | None) -> Soft | None:
    """exp(x) / sum(exp(x))."""
    if numerator.op != "exp" or total is None:
        return None
    summed = _summed(total)
    if summed is None or not _kept(total) or summed.of != numerator.args[0]:
        return None
    return _unshifted(replace(summed, op="softmax"))


def _summed(term: Term) -> Soft | None:
    """Of sum(exp(x)): x."""
    match term:
        case Term(op="sum", args=(Term(op="exp", args=(inner,)), dim), value=value):
            return Soft("sum", inner, dim, value == "keep")
        case _:
            return None


def _kept(term: Term) -> bool:
    """Whether a reduction's result stands beside what it was taken of: the first dimension comes back by itself."""
    return term.value == "keep" or (term.args[1].op == "number" and term.args[1].value == 0)


def _unshifted(soft: Soft) -> Soft:
    """Without what does not change the result: the largest value, taken off before."""
    match soft.of:
        case Term(op="sub", args=(inner, off)) if _largest(off, inner, soft.dim):
            return replace(soft, of=inner, shifted=True)
        case _:
            return soft


def _largest(term: Term, of: Term, dim: Term) -> bool:
    """Of all values, or over the same dimension."""
    if term.op == "detach":
        return _largest(term.args[0], of, dim)
    if term.op != "amax" or term.args[0] != of:
        return False
    return len(term.args) == 1 or (term.args[1] == dim and _kept(term))


def _logarithm(inner: Term) -> Soft | None:
    summed = _summed(inner)
    if summed is not None:
        return replace(summed, op="logsumexp")
    soft = softmax(inner)
    return replace(soft, op="log_softmax") if soft is not None else None


def _difference(left: Term, right: Term) -> Soft | None:
    """x less the logarithm of the sum of its exponentials."""
    called = right.op == "logsumexp" and len(right.args) == 2
    soft = Soft("logsumexp", right.args[0], right.args[1], right.value == "keep") if called else written(right)
    if soft is None or soft.op != "logsumexp" or soft.of != left:
        return None
    first = soft.dim.op == "number" and soft.dim.value == 0
    return _unshifted(replace(soft, op="log_softmax")) if soft.keeps or first else None


def _shifted_back(largest: Term, logarithm: Term) -> Soft | None:
    """m + log(sum(exp(x - m)))."""
    soft = _logarithm(logarithm.args[0]) if logarithm.op == "log" else None
    if soft is None or soft.op != "logsumexp" or soft.of.op != "sub" or not _unshifted(soft).shifted:
        return None
    off, own = soft.of.args[1], _undetached(largest)
    if (largest.op == "detach") != (off.op == "detach"):
        return None
    taken = _undetached(off)
    same = own == taken if soft.keeps or len(taken.args) == 1 else own == squeezed(taken, _number(soft.dim))
    return replace(_unshifted(soft), shifted=True) if same else None


def _undetached(term: Term) -> Term:
    return term.args[0] if term.op == "detach" else term


def _number(term: Term) -> float | None:
    return float(term.value) if term.op == "number" else None


RULE = WrittenSoftmax()
