"""Two tensors in one dtype: elementwise operations bring their operands there, products and distances raise."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .names import words
from .spread import Spread

_VIEWS = words(
    "T mT t transpose permute view reshape unsqueeze squeeze expand flatten unflatten contiguous detach clone"
)
_FLOAT = frozenset({"torch.float32", "torch.float", "torch.float64", "torch.double"})
_DEFERRED = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.IfExp, ast.BoolOp)


@dataclass(frozen=True, slots=True)
class Alike:
    """The operands as the new text has them, each followed by `cast`; `back` brings the result to its dtype."""

    left: str
    right: str
    cast: str = ""
    back: str = ""
    before: tuple[str, ...] = ()


def alike(spread: Spread, left: ast.expr, right: ast.expr, wide: bool = False) -> Alike | None:
    """`wide`: for an operation that has no half precision. None where no statement can come before `spread.node`."""
    scope = spread.scope
    one, two = spread.text(left), spread.text(right)
    kinds = _kind(spread, left), _kind(spread, right)
    same = kinds[0] == kinds[1] and bool(kinds[0])
    if same and (not wide or kinds[0] in _FLOAT):
        return Alike(one, two)
    place = scope.block_of(spread.node)
    if place is None or isinstance(place[0][place[1]], ast.While) or _deferred(spread):
        return None
    before: list[str] = []
    names = [_named(spread, node, text, before) for node, text in ((left, one), (right, two))]
    dtype = scope.names.fresh("dtype")
    before.append(f"{dtype} = {spread.spell('torch.result_type')}({', '.join(names)})")
    if not wide:
        return Alike(names[0], names[1], f".to({dtype})", "", tuple(before))
    least = scope.names.fresh("wide")
    text = f"{spread.spell('torch.promote_types')}({dtype}, {spread.spell('torch.float32')})"
    return Alike(names[0], names[1], f".to({least})", f".to({dtype})", (*before, f"{least} = {text}"))


def _named(spread: Spread, node: ast.expr, text: str, before: list[str]) -> str:
    """A name or attribute as it is; of anything else the value, which is to be computed once."""
    if all(isinstance(item, (ast.Name, ast.Attribute, ast.expr_context)) for item in ast.walk(node)):
        return text
    name = spread.scope.names.fresh("operand")
    before.append(f"{name} = {text}")
    return name


def _kind(spread: Spread, node: ast.expr) -> str:
    """What decides on the dtype: the dtype itself where it is written, else the tensor that it is a view of."""
    node = spread.value(node)
    if isinstance(node, ast.Subscript):
        return _kind(spread, node.value)
    if isinstance(node, ast.Attribute) and node.attr in _VIEWS:
        return _kind(spread, node.value)
    call = spread.scope.names.call(node)
    if call is None:
        return spread.scope.text(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
    name, args, keys = call
    if name == ".float" or name == ".double":
        return f"torch.{name[1:]}32" if name == ".float" else "torch.float64"
    if name == ".to" and len(args) == 2 and not keys:
        resolved = spread.scope.names.resolve(args[1]) or ""
        return resolved if resolved.startswith("torch.") else ""
    return _kind(spread, args[0]) if args and name.rpartition(".")[2] in _VIEWS else ""


def _deferred(spread: Spread) -> bool:
    """Whether the node is computed more often than its statement, or not always."""
    parent = spread.scope.parents.get(spread.node)
    while parent is not None and not isinstance(parent, ast.stmt):
        if isinstance(parent, _DEFERRED):
            return True
        parent = spread.scope.parents.get(parent)
    return False
