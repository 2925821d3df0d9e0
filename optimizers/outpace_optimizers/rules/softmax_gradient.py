"""softmax-gradient: the gradient of a softmax, written out as p * (g - sum(p * g)), in one call."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .formula_sites import Found, formula_sites
from .scope import Scope, scopes
from .terms import Term
from .writing import Edit, make_patch

_BACKWARD = '''def {name}(grad, probabilities, dim):
    """probabilities * (grad - (probabilities * grad).sum(dim, keepdim=True)), in one kernel where it takes them."""
    if grad.shape != probabilities.shape or grad.dtype != probabilities.dtype or not grad.is_floating_point():
        return probabilities * (grad - (probabilities * grad).sum(dim, keepdim=True))
    return torch._softmax_backward_data(grad, probabilities, dim, probabilities.dtype)
'''


class SoftmaxGradient:
    id = "softmax-gradient"
    title = "Compute a softmax's gradient in one call"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/softmax-gradient.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            if scope.names.table.get("torch") != "torch" or "torch" in scope.names.bound or "sum" not in code.source:
                continue
            edit, name = Edit(), scope.names.fresh("softmax_gradient")
            for site in formula_sites(scope, softmax_gradient):
                for statement in site.removed:
                    edit.replace(scope.source, statement, [])
                texts = [scope.text(term.node) for term in site.found.operands.values() if term.node is not None]
                edit.expression(scope.source, site.node, f"{name}({', '.join(texts)})")
            edit.definitions = {name: _BACKWARD.format(name=name)}
            patch = make_patch(scope.source, code, scope.definition, edit) if edit.expressions else None
            if patch is not None:
                yield Idea(
                    self.id,
                    f"a softmax's gradient in one call in {scope.definition.qualname}",
                    "one kernel that reads each row once: products and differences are not written to memory",
                    self.claimed_class,
                    patch,
                )


def softmax_gradient(scope: Scope, term: Term) -> Found | None:
    """p * (g - sum(p * g, dim, keepdim)), or p * g - p * sum(p * g)."""
    match term:
        case Term(op="mul", args=(left, right)):
            return _of(left, right) or _of(right, left)
        case Term(op="sub", args=(Term(op="mul", args=(one, two)) as product, Term(op="mul", args=(three, four)))):
            for chances, grad in ((one, two), (two, one)):
                for same, total in ((three, four), (four, three)):
                    dim = _summed(total, chances, grad) if same == chances else None
                    if dim is not None and _product(product, chances, grad):
                        return _found(grad, chances, dim)
        case _:
            pass
    return None


def _of(chances: Term, difference: Term) -> Found | None:
    match difference:
        case Term(op="sub", args=(grad, total)):
            dim = _summed(total, chances, grad)
            return _found(grad, chances, dim) if dim is not None else None
        case _:
            return None


def _found(grad: Term, chances: Term, dim: Term) -> Found:
    return Found("", "", {"grad": grad, "chances": chances, "dim": dim})


def _summed(total: Term, chances: Term, grad: Term) -> Term | None:
    """The dimension, a number, over which `total` sums their product."""
    match total:
        case Term(op="sum", args=(product, Term(op="number") as dim), value="keep") if _product(product, chances, grad):
            return dim if _is_torch(total) else None
        case _:
            return None


def _is_torch(total: Term) -> bool:
    """Whether a sum can't be an array's, which has keepdims."""
    return isinstance(total.node, ast.Call) and "keepdims" not in {key.arg for key in total.node.keywords}


def _product(term: Term, chances: Term, grad: Term) -> bool:
    return term.op == "mul" and term.args in ((chances, grad), (grad, chances))


RULE = SoftmaxGradient()
