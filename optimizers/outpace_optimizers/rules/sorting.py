"""Where a tensor is sorted, and the few of the sorted elements that the function reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .attention_ops import integer, is_own
from .flow import last_change, later_loads, names_in, number
from .numbers_known import is_number
from .ranks import Ranks
from .scope import Scope

_PLACES = {0: "values", 1: "indices"}


@dataclass(frozen=True)
class Sort:
    node: ast.Call
    of: ast.expr
    dim: int
    descending: bool
    indices: bool
    """Whether it gives indices alone: `argsort`."""


@dataclass(frozen=True)
class Pick:
    """The `first` or `last` elements, as many as `count`; or the one `at` a place."""

    kind: str
    count: ast.expr
    dim: int
    """From the front, or from the end where negative."""


@dataclass(frozen=True)
class Use:
    """`base[:, :k]`; `base` is the values or the indices of the sort."""

    node: ast.Subscript
    base: ast.expr
    part: str
    pick: Pick


def sort(scope: Scope, node: ast.AST) -> Sort | None:
    """`torch.sort(x, dim=-1, descending=True)`, `x.argsort()`; not a stable one."""
    call = scope.names.call(node)
    if call is None or not isinstance(node, ast.Call) or not call[1] or is_own(scope, node):
        return None
    name, (of, *rest), keys = call
    word = name.rpartition(".")[2]
    if name not in (f"torch.{word}", f".{word}") or word not in ("sort", "argsort") or len(rest) > 2:
        return None
    given = dict(zip(("dim", "descending"), rest, strict=False)) | keys
    dim, order = given.pop("dim", None), given.pop("descending", None)
    place = integer(dim) if dim is not None else -1
    plain = order is None or (isinstance(order, ast.Constant) and isinstance(order.value, bool))
    if given or place is None or not plain:
        return None
    return Sort(node, of, place, isinstance(order, ast.Constant) and bool(order.value), word == "argsort")


def uses(scope: Scope, made: Sort, ranks: Ranks) -> list[Use] | None:
    """Every read of what was sorted, where all of them read the same few elements."""
    bases = _bases(scope, made)
    found = [_use(scope, base, part) for base, part in bases] if bases else []
    whole = [use for use in found if use is not None]
    if not whole or len(whole) != len(found):
        return None
    first = whole[0].pick
    if any(_text(use.pick) != _text(first) for use in whole) or not _along(made, first, ranks):
        return None
    return whole if all(_known_before(scope, made, use) for use in whole) else None


def _text(pick: Pick) -> tuple[str, str, int]:
    return pick.kind, ast.dump(pick.count), pick.dim


def _bases(scope: Scope, made: Sort) -> list[tuple[ast.expr, str]] | None:
    """(expression, `values` or `indices`) of every read; None where there may be others."""
    if made.indices:
        return _named(scope, made.node, "indices")
    parent, place = scope.parents.get(made.node), scope.block_of(made.node)
    if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Tuple) and place is not None:
        both = len(parent.targets) == 1 and len(parent.targets[0].elts) == 2
        return _of_both(scope, parent.targets[0], place) if both else None
    found: list[tuple[ast.expr, str]] = []
    for read, _ in _named(scope, made.node, "") or ():
        part = _part(scope, read)
        bases = _named(scope, *part) if part is not None else None
        if bases is None:
            return None
        found += bases
    return found


def _named(scope: Scope, node: ast.expr, part: str) -> list[tuple[ast.expr, str]] | None:
    """The expression itself, or every read of the name that it is bound to."""
    parent, place = scope.parents.get(node), scope.block_of(node)
    if not isinstance(parent, ast.Assign) or place is None:
        return [(node, part)]
    if len(parent.targets) != 1 or not isinstance(parent.targets[0], ast.Name):
        return None
    reads = later_loads(scope, *place, parent.targets[0].id)
    return [(read, part) for read in reads] if reads is not None else None


def _of_both(scope: Scope, target: ast.Tuple, place: tuple[list[ast.stmt], int]) -> list[tuple[ast.expr, str]] | None:
    found: list[tuple[ast.expr, str]] = []
    for item, part in zip(target.elts, _PLACES.values(), strict=True):
        reads = later_loads(scope, *place, item.id) if isinstance(item, ast.Name) else None
        if reads is None:
            return None
        found += [(read, part) for read in reads]
    return found


def _part(scope: Scope, node: ast.expr) -> tuple[ast.expr, str] | None:
    """`sorted.values` or `sorted[0]`."""
    parent = scope.parents.get(node)
    match parent:
        case ast.Attribute(attr="values" | "indices" as part):
            return parent, part
        case ast.Subscript(value=value, slice=ast.Constant(value=int() as place)) if value is node and place in _PLACES:
            return parent, _PLACES[place]
        case _:
            return None


def _use(scope: Scope, base: ast.expr, part: str) -> Use | None:
    parent = scope.parents.get(base)
    if not isinstance(parent, ast.Subscript) or parent.value is not base or not isinstance(parent.ctx, ast.Load):
        return None
    made = _pick(scope, parent.slice)
    return Use(parent, base, part, made) if made is not None else None


def _pick(scope: Scope, index: ast.expr) -> Pick | None:
    entries = index.elts if isinstance(index, ast.Tuple) else [index]
    kinds = [_entry(scope, item) for item in entries]
    chosen = [place for place, kind in enumerate(kinds) if kind not in (":", "...")]
    if len(chosen) != 1 or kinds.count("...") > 1:
        return None
    place = chosen[0]
    made = kinds[place]
    if not isinstance(made, tuple):
        return None
    return Pick(*made, place - len(kinds) if "..." in kinds[:place] else place)


def _entry(scope: Scope, node: ast.expr) -> str | tuple[str, ast.expr]:
    """`:`, `...`, (kind, count) of a pick; empty for anything else."""
    match node:
        case ast.Slice(lower=None, upper=None, step=None):
            return ":"
        case ast.Constant(value=value) if value is ...:
            return "..."
        case ast.Slice(lower=None | ast.Constant(value=0), upper=ast.expr() as count, step=None):
            return ("first", count) if _positive(count) else ""
        case ast.Slice(lower=ast.UnaryOp(op=ast.USub(), operand=count), upper=None, step=None):
            return ("last", count) if _positive(count) else ""
        case ast.Slice():
            return ""
        case _:
            return ("at", node) if is_number(scope, node) else ""


def _positive(node: ast.expr) -> bool:
    """Not visibly otherwise."""
    value = number(node)
    return value > 0 if value is not None else not isinstance(node, ast.UnaryOp)


def _along(made: Sort, pick: Pick, ranks: Ranks) -> bool:
    """Whether what is read is chosen along the dimension that is sorted."""
    if (made.dim < 0) == (pick.dim < 0):
        return made.dim == pick.dim
    size = ranks.of(made.of)
    if size is not None:
        return made.dim % size == pick.dim % size
    return made.dim == -1 and pick.dim >= 0 and pick.kind != "at"


def _known_before(scope: Scope, made: Sort, use: Use) -> bool:
    """Whether the count is at the sort what it is at the read."""
    there, here = scope.block_of(made.node), scope.block_of(use.node)
    if there is None or here is None:
        return False
    if there[0] is not here[0]:
        return number(use.pick.count) is not None
    return all(last_change(*here, name) < there[1] or here[1] == there[1] for name in names_in(use.pick.count))


def sorts(scope: Scope, nodes: Iterator[ast.AST]) -> Iterator[Sort]:
    for node in nodes:
        made = sort(scope, node)
        if made is not None:
            yield made
