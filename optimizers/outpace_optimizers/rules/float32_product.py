"""float32-product: products of fp32 matrices are taken on tensor cores, as exactly."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .guarded import edit_with_kernels
from .scope import Scope, scopes
from .upcast_sites import Product, products, rewritten
from .upcast_values import Upcasts
from .writing import make_patch

_TITLE = "Products of fp32 on tensor cores"
_NARROW = re.compile(r"\b(bfloat16|float16|half)\b")
_WIDE = re.compile(r"\b(float32|float)\b")


class Float32Product:
    id = "float32-product"
    title = _TITLE
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/float32-product.md"
    needs_triton = True
    gains_on = frozenset({"float32"})

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            own = scope.function.name.startswith(("float32_", "upcast_product"))
            found = [] if own else [item for item in products(scope) if _may_be_wide(scope, item)]
            idea = self._idea(code, scope, found) if found else None
            if idea is not None:
                yield idea

    def _idea(self, code: Code, scope: Scope, found: list[Product]) -> Idea | None:
        edit = edit_with_kernels(scope.source, _TITLE, "float32_product", dispatcher=True)
        if edit is None:
            return None
        by_node = {item.node: item for item in found}
        for item in found:
            if not any(item.node in ast.walk(other) for other in by_node if other is not item.node):
                made = rewritten(item.node, by_node, _called)
                edit.expression(scope.source, item.node, ast.unparse(made))
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"products of fp32 on tensor cores in {scope.definition.qualname}",
            "each factor as three parts of 8 bits, whose products tensor cores take at 16 times the rate of fp32",
            self.claimed_class,
            patch,
        )


def _called(product: Product, left: ast.expr, right: ast.expr, bias: ast.expr | None) -> ast.expr:
    """A linear layer keeps its bias: what the kernel does not take is one operation as before."""
    name = "float32_linear" if product.transposed else "float32_product"
    return ast.Call(ast.Name(name, ast.Load()), [left, right, *([bias] if bias is not None else [])], [])


def _may_be_wide(scope: Scope, product: Product) -> bool:
    """Not an einsum, and not where a factor was cast to fp32, which `upcast-product` does better, or to 16 bits."""
    if product.equation is not None:
        return False
    upcasts = Upcasts(scope)
    factors = (product.left, product.right)
    if any(upcasts.narrow(item) is not None for item in factors):
        return False
    texts = [ast.unparse(item) for item in factors]
    return not any(_NARROW.search(text) and not _WIDE.search(text) for text in texts)


RULE = Float32Product()
