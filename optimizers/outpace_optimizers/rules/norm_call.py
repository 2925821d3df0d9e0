"""norm-call: the root of a sum of squares, written out, becomes `torch.linalg.vector_norm`."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .formula_sites import Found, formula_ideas
from .scope import Scope
from .terms import Term

_CALL = "torch.linalg.vector_norm"


class NormCall:
    id = "norm-call"
    title = "Compute lengths and distances in one call"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/norm-call.md"
    needs = frozenset({"sum"})

    def propose(self, code: Code) -> Iterator[Idea]:
        why = "one kernel that reads the values once: their squares are not written to memory"
        yield from formula_ideas(code, self, vector_norm, "{calls}", why)


def vector_norm(scope: Scope, term: Term) -> Found | None:
    """sqrt(sum(x * x)), over one dimension or over all."""
    summed = _under_root(term)
    if summed is None or summed.op != "sum" or not (term.op == "sqrt" or _is_torch(scope, summed)):
        return None
    values = _squared(summed.args[0])
    if values is None:
        return None
    operands = {"x": values} | ({"dim": summed.args[1]} if len(summed.args) == 2 else {})
    over = ", dim={dim}" if "dim" in operands else ""
    kept = ", keepdim=True" if summed.value == "keep" else ""
    return Found(_CALL, f"{{x}}{over}{kept}", operands)


def _is_torch(scope: Scope, summed: Term) -> bool:
    """Whether a sum can't be an array's, which has an axis and no dim."""
    call = scope.names.call(summed.node) if summed.node is not None else None
    return call is not None and (call[0] == "torch.sum" or bool({"dim", "keepdim"} & call[2].keys()))


def _under_root(term: Term) -> Term | None:
    match term:
        case Term(op="sqrt", args=(inner,)):
            return inner
        case Term(op="pow", args=(inner, Term(op="number", value=0.5))):
            return inner
        case _:
            return None


def _squared(term: Term) -> Term | None:
    match term:
        case Term(op="square", args=(inner,)):
            return inner
        case Term(op="pow", args=(inner, Term(op="number", value=2.0))):
            return inner
        case Term(op="mul", args=(left, right)) if left == right:
            return left
        case _:
            return None


RULE = NormCall()
