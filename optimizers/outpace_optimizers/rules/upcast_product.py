"""upcast-product: a product of matrices that were cast to fp32 is taken on tensor cores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from outpace_audit.records import Code, Idea, NumericsClass

from .guarded import edit_with_kernels
from .scope import scopes
from .upcast_sites import Site, products, sites, write
from .upcast_values import Twins, Upcasts
from .writing import make_patch

_TITLE = "Products of narrow matrices in fp32"


class UpcastProduct:
    id = "upcast-product"
    title = _TITLE
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/upcast-product.md"
    needs_triton = True

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            if scope.function.name.startswith(("float32_", "upcast_product")):
                continue
            twins: Twins = {}
            found = sites(Upcasts(scope, twins), products(scope))
            exact = [site for site in found if site.exact]
            for chosen in (found, exact if len(exact) < len(found) else []):
                idea = self._idea(code, Upcasts(scope, twins), chosen) if chosen else None
                if idea is not None:
                    yield idea

    def _idea(self, code: Code, upcasts: Upcasts, chosen: Sequence[Site]) -> Idea | None:
        scope = upcasts.scope
        found = sites(upcasts, [site.product for site in chosen])
        modules = {"upcast_product" if site.exact else "float32_product" for site in found}
        edit = edit_with_kernels(scope.source, _TITLE, *sorted(modules), dispatcher=True)
        if edit is None:
            return None
        write(edit, scope, found, list(upcasts.bound.values()))
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        which = "exact products" if all(site.exact for site in found) else "products"
        return Idea(
            self.id,
            f"{which} of narrow matrices on tensor cores in {scope.definition.qualname}",
            "what was cast has 8 or 11 bits of significand: in fp32 its products are exact without the cast",
            self.claimed_class,
            patch,
        )


RULE = UpcastProduct()
