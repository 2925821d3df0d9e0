"""One-hot rows made by `scatter_`, and the products with them.

hot = torch.zeros(index.shape[0], n, device=x.device)
hot.scatter_(1, index, 1)                                  where index is `found.unsqueeze(1)`
rows = torch.matmul(hot, self.codes.weight)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .attention_ops import integer, pick
from .flow import changed, last_change, later_loads, names_in, number
from .scope import Block, Scope
from .terms import rows_counted
from .writing import Edit

_CHOICES = ("argmin", "argmax")


@dataclass(frozen=True, eq=False)
class Scattered:
    """`name`: the one-hot rows of block[`made`] and block[`filled`], at the column `index`."""

    name: str
    index: str
    made: int
    filled: int


def scattered_edits(scope: Scope) -> Iterator[Edit]:
    for block in scope.blocks():
        for place in range(len(block)):
            found = _scattered(scope, block, place)
            edit = _looked_up(scope, block, found) if found is not None else None
            if edit is not None:
                yield edit


def _scattered(scope: Scope, block: Block, place: int) -> Scattered | None:
    """`hot.scatter_(1, index, 1)` of rows of zeros, one for each of the index."""
    statement = block[place]
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="scatter_")) as call):
            args, keys = [call.func, *call.args], {key.arg or "": key.value for key in call.keywords}
        case _:
            return None
    dim, index, one = (pick(args, keys, at, word) for at, word in ((1, "dim"), (2, "index"), (3, "value")))
    if integer(dim) != 1 or not isinstance(index, ast.Name) or one is None or number(one) != 1 or len(args) > 4:
        return None
    made, at = last_change(block, place, name), last_change(block, place, index.id)
    if made < 0 or at < 0 or made < at or not _column(scope, block[at], index.id):
        return None
    return Scattered(name, index.id, made, place) if _zeros(scope, block[made], name, index.id) else None


def _column(scope: Scope, statement: ast.stmt, name: str) -> bool:
    """Whether it gives to the name indices of one column: one element a row."""
    value = _given(statement, name)
    call = scope.names.call(value) if value is not None else None
    if call is None:
        return False
    word, keys = call[0].rpartition(".")[2], call[2]
    if word == "unsqueeze":
        return integer(pick(call[1], keys, 1, "dim")) == 1 and _of_vector(scope, call[1][0])
    kept = pick(call[1], keys, 2, "keepdim")
    return word in _CHOICES and _over_rows(call[1], keys) and isinstance(kept, ast.Constant) and kept.value is True


def _of_vector(scope: Scope, node: ast.expr) -> bool:
    """`argmin(x, dim=1)`, which has one dimension where one-hot rows of two are made of it."""
    call = scope.names.call(node)
    return call is not None and call[0].rpartition(".")[2] in _CHOICES and _over_rows(call[1], call[2])


def _over_rows(args: list[ast.expr], keys: dict[str, ast.expr]) -> bool:
    return integer(pick(args, keys, 1, "dim")) in (1, -1)


def _zeros(scope: Scope, statement: ast.stmt, name: str, index: str) -> bool:
    value = _given(statement, name)
    call = scope.names.call(value) if value is not None else None
    if call is None or call[0] not in ("torch.zeros", ".new_zeros") or set(call[2]) - {"device", "dtype"}:
        return False
    sizes = call[1][call[0] == ".new_zeros" :]
    if len(sizes) == 1 and isinstance(sizes[0], (ast.Tuple, ast.List)):
        sizes = sizes[0].elts
    counted = rows_counted(sizes[0]) if len(sizes) == 2 else None
    return isinstance(counted, ast.Name) and counted.id == index


def _given(statement: ast.stmt, name: str) -> ast.expr | None:
    match statement:
        case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
            return value
        case _:
            return None


def _looked_up(scope: Scope, block: Block, found: Scattered) -> Edit | None:
    """The products of the rows with weights as look-ups; the rows go where nobody else reads them."""
    reads = later_loads(scope, block, found.filled, found.name)
    edit, products = Edit(), 0
    spelling, needed = scope.names.spell("torch.nn.functional.embedding")
    edit.imports += [needed] if needed else []
    for read in reads or []:
        product = _product(scope, read)
        place = scope.block_of(read)
        if product is None or place is None or place[0] is not block:
            continue
        between = set[str]().union(*map(changed, block[found.filled + 1 : place[1]]))
        if {found.name, found.index} & between or names_in(product[1]) & {found.name}:
            return None
        text = f"{spelling}({found.index}.squeeze(1), {scope.text(product[1])})"
        edit.expression(scope.source, product[0], text)
        products += 1
    if not products:
        return None
    if reads is not None and products == len(reads):
        edit.replace(scope.source, block[found.made], [])
        edit.replace(scope.source, block[found.filled], [])
    return edit


def _product(scope: Scope, read: ast.Name) -> tuple[ast.expr, ast.expr] | None:
    """(the product, the weights) of `hot @ weights`, `torch.matmul(hot, weights)` and `torch.mm`."""
    parent = scope.parents.get(read)
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.MatMult) and parent.left is read:
        product, weights = parent, parent.right
    else:
        parent = scope.parents.get(parent) if isinstance(parent, ast.Attribute) else parent
        call = scope.names.call(parent) if parent is not None else None
        if call is None or not isinstance(parent, ast.Call) or call[2] or len(call[1]) != 2 or call[1][0] is not read:
            return None
        if call[0] not in ("torch.matmul", "torch.mm", ".matmul", ".mm"):
            return None
        product, weights = parent, call[1][1]
    embedding = isinstance(weights, ast.Attribute) and weights.attr == "weight"
    made = scope.module(weights.value) if embedding and isinstance(weights, ast.Attribute) else None
    return (product, weights) if made is not None and made[0] == "torch.nn.Embedding" else None
