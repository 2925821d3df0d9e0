"""cheaper-product: products of matrices that algebra makes cheaper, or spares altogether."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .algebra_sites import Site, algebra_sites
from .product_forms import diagonal, reordered, solved
from .product_outer import outer
from .product_sums import summed, traced
from .ranks import Ranks
from .scope import scopes

_FORMS = (outer, traced, summed, diagonal, solved, reordered)


class CheaperProduct:
    id = "cheaper-product"
    title = "Spare or shrink a product of matrices"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/cheaper-product.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            ranks = Ranks(scope, code.symbol)
            for site in algebra_sites(scope, lambda node, ranks=ranks: _read(node, ranks)):
                for patch in site.patches(code):
                    yield Idea(
                        self.id,
                        f"{site.title} in {scope.definition.qualname}",
                        "the same result from fewer multiplications, and without the large matrix in between",
                        self.claimed_class,
                        patch,
                    )


def _read(node: ast.expr, ranks: Ranks) -> Site | None:
    for form in _FORMS:
        site = form(node, ranks)
        if site is not None and site.spread.holds():
            return site
    return None


RULE = CheaperProduct()
