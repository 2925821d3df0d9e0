"""Products of matrices of which a factor was cast to fp32, and how they are written without the cast."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from .attention_mask import definition
from .einsum_product import Equation, equation
from .names import dotted, own_nodes
from .reductions import alone
from .scope import Scope
from .upcast_values import Bound, Upcasts, cast_to_fp32, unread
from .writing import Edit

_PRODUCTS = frozenset(f"{kind}{name}" for kind in ("torch.", ".") for name in ("matmul", "mm", "bmm"))


@dataclass(frozen=True, eq=False)
class Product:
    """`left @ right + bias`; of `F.linear` the right factor is transposed, of `torch.einsum` there is an equation."""

    node: ast.expr
    left: ast.expr
    right: ast.expr
    transposed: bool = False
    bias: ast.expr | None = None
    equation: Equation | None = None


@dataclass(frozen=True, eq=False)
class Site:
    """A product and its factors before their cast, None for one that was not cast."""

    product: Product
    left: ast.expr | None
    right: ast.expr | None

    @property
    def exact(self) -> bool:
        return self.left is not None and self.right is not None


def product_of(scope: Scope, node: ast.AST) -> Product | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return Product(node, node.left, node.right)
    call = scope.names.call(node)
    if call is None or not isinstance(node, ast.Call):
        return None
    name, args, keys = call
    if name in _PRODUCTS and len(args) == 2 and not keys:
        return Product(node, args[0], args[1])
    if name == "torch.einsum" and len(args) == 3 and not keys:
        found = equation(args[0])
        return Product(node, args[1], args[2], equation=found) if found is not None else None
    given = dict(zip(("input", "weight", "bias"), args, strict=False)) | keys
    if name != "torch.nn.functional.linear" or not {"input", "weight"} <= set(given) <= {"input", "weight", "bias"}:
        return None
    bias = given.get("bias")
    bias = None if isinstance(bias, ast.Constant) and bias.value is None else bias
    return Product(node, given["input"], given["weight"], True, bias)


def products(scope: Scope) -> list[Product]:
    found = [product_of(scope, node) for node in own_nodes(scope.function)]
    return [item for item in found if item and not _is_outer(scope, item) and not scope.of_numpy(item.left, item.right)]


def sites(upcasts: Upcasts, of: Iterable[Product]) -> list[Site]:
    """Those of the products that have a factor which was cast."""
    found: list[Site] = []
    for product in of:
        site = Site(product, upcasts.narrow(product.left), upcasts.narrow(product.right))
        if (site.left is not None or site.right is not None) and _has_sizes(site):
            found.append(site)
    return found


def _has_sizes(site: Site) -> bool:
    """Whether the sizes that an equation needs can be asked of names."""
    parts = (site.left or site.product.left, site.right or site.product.right)
    return site.product.equation is None or not site.product.equation.needs_sizes or all(map(dotted, parts))


def _is_outer(scope: Scope, product: Product) -> bool:
    """A column by a row, such as frequencies by positions: nothing is summed."""
    left, right = (_base(scope, item) for item in (product.left, product.right))
    return product.equation is None and (_is_new(left, -1) or (not product.transposed and _is_new(right, -2)))


def _base(scope: Scope, node: ast.expr) -> ast.expr:
    """x of `x.float().expand(n, -1, 1)`, under a name too."""
    found = definition(scope, node) if isinstance(node, ast.Name) else None
    node = node if found is None else found
    call = scope.names.call(node)
    inner = cast_to_fp32(scope, node) or (call[1][0] if call is not None and call[0] in (".expand", ".to") else None)
    return _base(scope, inner) if inner is not None else node


def _is_new(node: ast.expr, place: int) -> bool:
    """Whether the dimension is one that `x[..., None]` adds."""
    entries = node.slice.elts if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) else []
    entry = entries[place] if len(entries) >= -place else None
    return isinstance(entry, ast.Constant) and entry.value is None


def write(edit: Edit, scope: Scope, found: Sequence[Site], bound: Sequence[Bound]) -> None:
    """Each product through the kernel's dispatcher, twins where values need them, and casts that nobody reads left
    out.
    """
    by_node = {site.product.node: site for site in found}
    inside = {item for site in found for item in ast.walk(site.product.node)} - set(by_node)
    outer = [node for node in by_node if not any(node in ast.walk(other) for other in by_node if other is not node)]
    gone = {item for site in found for part in _narrowed(site) for item in ast.walk(part)} & inside
    removed = unread(scope, bound, gone)
    for node in outer:
        if scope.block_of(node) is not None and not any(node in ast.walk(statement) for statement in removed):
            made = _written(node, by_node)
            text = ast.unparse(made)
            edit.expression(
                scope.source, node, text if isinstance(made, ast.Call) or alone(scope, node) else f"({text})"
            )
    for statement in dict.fromkeys(item.statement for item in bound):
        _bind(edit, scope, [item for item in bound if item.statement is statement], statement in removed)


def _narrowed(site: Site) -> list[ast.expr]:
    pairs = ((site.left, site.product.left), (site.right, site.product.right))
    return [old for new, old in pairs if new is not None]


def _bind(edit: Edit, scope: Scope, items: Sequence[Bound], removed: bool) -> None:
    """The twins of what one statement binds."""
    statement = items[0].statement
    twins = [f"{item.twin} = {ast.unparse(item.value)}" for item in items if item.twin is not None]
    if removed:
        edit.replace(scope.source, statement, twins)
        return
    if twins:
        edit.before(scope.source, statement, twins)
    for item in items:
        inner = cast_to_fp32(scope, item.given)
        if item.twin is not None and inner is not None and not isinstance(inner, ast.Name):
            edit.expression(scope.source, inner, item.twin)


def _written(node: ast.expr, by_node: Mapping[ast.expr, Site]) -> ast.expr:
    """A copy with the products written anew, inner ones too."""

    def called(product: Product, left: ast.expr, right: ast.expr, bias: ast.expr | None) -> ast.expr:
        site = by_node[product.node]
        left, right = site.left or left, site.right or right
        right = ast.Attribute(right, "mT", ast.Load()) if product.transposed else right
        form = product.equation
        factors = [left, right] if form is None else [form.factor_a(left), form.factor_b(right)]
        name = "upcast_product" if site.exact else "float32_product"
        made = ast.Call(ast.Name(name, ast.Load()), factors, [])
        made = form.whole(made, left, right) if form is not None else made
        return made if bias is None else ast.BinOp(made, ast.Add(), bias)

    return rewritten(node, {site.product.node: site.product for site in by_node.values()}, called)


Called = Callable[[Product, ast.expr, ast.expr, "ast.expr | None"], ast.expr]


def rewritten(node: Any, by_node: Mapping[ast.expr, Product], called: Called) -> Any:
    """A copy of `node` with `called` of each product's factors and bias in the product's place, from the inside out."""
    if isinstance(node, list):
        return [rewritten(item, by_node, called) for item in cast("list[Any]", node)]
    if not isinstance(node, ast.AST):
        return node
    product = by_node.get(node) if isinstance(node, ast.expr) else None
    if product is not None:
        parts = (product.left, product.right, product.bias)
        return called(product, *(rewritten(part, by_node, called) for part in parts))
    fields: dict[str, Any] = {name: rewritten(value, by_node, called) for name, value in ast.iter_fields(node)}
    return type(node)(**fields)
