"""one-hot-product: a matrix product with one-hot rows becomes a look-up, and a sum of products with them a gather."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .formula_sites import Found, formula_ideas
from .scattered import scattered_edits
from .scope import Scope, scopes
from .terms import Term
from .writing import make_patch

_EMBEDDING = "torch.nn.functional.embedding"


class OneHotProduct:
    id = "one-hot-product"
    title = "Look rows up instead of multiplying by one-hot rows"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/one-hot-product.md"
    needs = frozenset({"one_hot", "eye"})

    def propose(self, code: Code) -> Iterator[Idea]:
        why = "only the rows that are meant are read; one-hot rows are neither written nor multiplied"
        yield from formula_ideas(code, self, looked_up, "rows looked up", why)
        if "scatter_" not in code.source:
            return
        for scope in scopes(code):
            for edit in scattered_edits(scope):
                patch = make_patch(scope.source, code, scope.definition, edit)
                if patch is not None:
                    title = f"rows looked up in {scope.definition.qualname}"
                    yield Idea(self.id, title, why, self.claimed_class, patch)


def looked_up(_: Scope, term: Term) -> Found | None:
    """The product exists only where the one-hot rows are as wide as the matrix is high, so their width says nothing."""
    match term:
        case Term(op="matmul", args=(Term(op="eye_rows", args=(index, _)), matrix)):
            return Found("", "{w}[{i}]", {"w": matrix, "i": index})
        case Term(op="matmul", args=(hot, matrix)) if (index := _hot(hot)) is not None:
            return Found(_EMBEDDING, "{i}, {w}", {"i": index, "w": matrix})
        case Term(op="linear", args=(hot, matrix)) if (index := _hot(hot)) is not None:
            return Found(_EMBEDDING, "{i}, {w}.t()", {"i": index, "w": matrix})
        case Term(op="sum", args=(Term(op="mul", args=(left, right)), Term(op="number", value=dim))):
            return _summed(term, left, right, int(float(dim))) or _summed(term, right, left, int(float(dim)))
        case _:
            return None


def _hot(term: Term) -> Term | None:
    """The indices of `F.one_hot(index, n)`, cast or not."""
    hot = term.args[0] if term.op == "cast" else term
    return hot.args[0] if hot.op == "one_hot" else None


def _summed(term: Term, hot: Term, values: Term, dim: int) -> Found | None:
    """(one_hot(i) * q).sum(-1): one element of each row."""
    index = _hot(hot)
    if index is None or dim not in (1, -1):
        return None
    kept = "" if term.value == "keep" else f".squeeze({dim})"
    return Found("torch.gather", f"{{q}}, {dim}, {{i}}.unsqueeze({dim})", {"q": values, "i": index}, suffix=kept)


RULE = OneHotProduct()
