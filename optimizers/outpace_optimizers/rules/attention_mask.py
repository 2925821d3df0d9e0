"""Masks between scores and softmax: what SDPA is told, and whether the mask is provably causal."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal

from .attention_ops import integer, pick, wrapped
from .flow import last_change, number
from .names import words
from .scope import Scope

Polarity = Literal["keep", "drop"]
_FLIP: dict[Polarity, Polarity] = {"keep": "drop", "drop": "keep"}
_MIRROR: dict[str, type[ast.cmpop]] = {"Lt": ast.Gt, "LtE": ast.GtE, "Gt": ast.Lt, "GtE": ast.LtE}
_SHAPING = words(
    ".view .reshape .unsqueeze .bool .to .type .float .int .long .byte .half .expand .contiguous "
    ".cuda .type_as .clone .detach .expand_as .repeat .bfloat16 torch.unsqueeze torch.nn.Parameter "
    "torch.reshape"
)  # fmt: skip


@dataclass(frozen=True)
class Mask:
    """One mask term. `kind`: fill (condition marks dropped), keep (condition marks kept), add, sub."""

    kind: Literal["drop", "keep", "add", "sub"]
    node: ast.expr
    at: int
    test: ast.expr | None = None


def minus_infinity(scope: Scope, node: ast.expr, depth: int = 4) -> bool:
    """-inf, a dtype's minimum, or a number so low that its exponential vanishes."""
    value = number(node)
    if value is not None:
        return value <= -1e4
    match node:
        case ast.Attribute(attr="min", value=ast.Call(func=func)):
            return (scope.names.resolve(func) or "").endswith("finfo")
        case ast.UnaryOp(op=ast.USub(), operand=ast.Attribute(attr="max", value=ast.Call(func=func))):
            return (scope.names.resolve(func) or "").endswith("finfo")
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return minus_infinity(scope, left, depth) and (number(right) or 0) >= 1
        case _:
            pass
    if depth == 0:
        return False
    call = scope.names.call(node)
    if call is not None:
        name, args, keywords = call
        if name in ("torch.tensor", "torch.as_tensor", "torch.scalar_tensor", ".to", ".type_as", "float"):
            return bool(args) and minus_infinity(scope, args[0], depth - 1)
        if name in ("torch.full", "torch.full_like"):
            fill = pick(args, keywords, 1, "fill_value")
            return fill is not None and minus_infinity(scope, fill, depth - 1)
    if isinstance(node, ast.Name):
        value_node = definition(scope, node)
        return value_node is not None and minus_infinity(scope, value_node, depth - 1)
    made = scope.attribute(node)
    return made is not None and minus_infinity(scope.constructor, made, depth - 1)


def definition(scope: Scope, node: ast.Name) -> ast.expr | None:
    """The expression that a plain assignment of this block, or of the module, gave to the name."""
    return defined(scope, node, node.id)


def defined(scope: Scope, before: ast.AST, name: str) -> ast.expr | None:
    """The same of a name that need not be read there: before the statement around a node."""
    place = scope.block_of(before)
    while place is not None:
        block, index = place
        found = last_change(block, index, name)
        if found >= 0:
            statement = block[found]
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = statement.targets[0]
                return statement.value if isinstance(target, ast.Name) and target.id == name else None
            return None
        holder = scope.parents.get(block[0])
        place = scope.block_of(holder) if isinstance(holder, ast.stmt) and holder is not scope.function else None
    if name in scope.names.bound:
        return None
    for statement in scope.source.tree.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, ast.Name) and target.id == name:
                return statement.value
    return None


def causal(scope: Scope, node: ast.expr, depth: int = 12) -> Polarity | None:
    """`keep` where truth means on or below the diagonal of a square, `drop` where it means strictly above."""
    if depth == 0:
        return None
    match node:
        case ast.UnaryOp(op=ast.Invert(), operand=inner):
            return _flip(causal(scope, inner, depth - 1))
        case ast.BinOp(left=left, op=ast.Sub(), right=right) if number(left) == 1:
            return _flip(causal(scope, right, depth - 1))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compared(scope, left, op, right, depth)
        case ast.Subscript(value=value, slice=index):
            return causal(scope, value, depth - 1) if square(scope, index) else None
        case ast.Name():
            made = definition(scope, node)
            return causal(scope, made, depth - 1) if made is not None else None
        case _:
            pass
    made = scope.attribute(node)
    if made is not None:
        return causal(scope.constructor, made, depth - 1)
    call = scope.names.call(node)
    if call is None or not call[1]:
        return None
    name, args, keywords = call
    if name in (".logical_not", "torch.logical_not"):
        return _flip(causal(scope, args[0], depth - 1))
    if name in (".eq", ".ne") and len(args) == 2 and integer(args[1]) == 0:
        inner = causal(scope, args[0], depth - 1)
        return _flip(inner) if name == ".eq" else inner
    if name in _SHAPING:
        return causal(scope, args[0], depth - 1)
    diagonal = integer(pick(args, keywords, 1, "diagonal")) if len(args) > 1 or "diagonal" in keywords else 0
    if name in ("torch.tril", ".tril") and diagonal == 0 and square_of(scope, args[0], ones=True):
        return "keep"
    if name in ("torch.triu", ".triu") and diagonal == 1 and square_of(scope, args[0], ones=True):
        return "drop"
    return None


def _flip(polarity: Polarity | None) -> Polarity | None:
    return _FLIP[polarity] if polarity is not None else None


def _compared(scope: Scope, left: ast.expr, op: ast.cmpop, right: ast.expr, depth: int) -> Polarity | None:
    rows, columns = _arange(scope, left), _arange(scope, right)
    if rows and columns and rows[0] == columns[0] and {rows[1], columns[1]} == {"row", "column"}:
        if rows[1] == "column":
            op = _MIRROR.get(type(op).__name__, ast.Eq)()
        return "keep" if isinstance(op, ast.GtE) else "drop" if isinstance(op, ast.Lt) else None
    inner = causal(scope, left, depth - 1)
    value = integer(right) if not isinstance(right, ast.Constant) else right.value
    if inner is None or isinstance(value, (str, bytes)):
        return None
    if (isinstance(op, (ast.Eq, ast.Is)) and value == 0) or (isinstance(op, (ast.NotEq, ast.Lt)) and value == 1):
        return _flip(inner)
    truth = (isinstance(op, (ast.NotEq, ast.Gt)) and value == 0) or (isinstance(op, ast.Eq) and value == 1)
    return inner if truth else None


def _arange(scope: Scope, node: ast.expr) -> tuple[str, str] | None:
    """(length, row or column) of `torch.arange(T)[:, None]`, `.unsqueeze(0)`, `.view(-1, 1)`, or a
    name for one.
    """
    side = ""
    if isinstance(node, ast.Subscript):
        text = ast.unparse(node.slice).strip("()")
        side = {":, None": "row", "None, :": "column", "None": "column"}.get(text, "")
        node = node.value
    else:
        call = scope.names.call(node)
        if call is not None and call[0] in (".unsqueeze", ".view", ".reshape"):
            dims = [integer(item) for item in call[1][1:]]
            side = "row" if dims in ([1], [-1, 1]) else "column" if dims in ([0], [1, -1]) else ""
            node = call[1][0]
    if isinstance(node, ast.Name):
        node = definition(scope, node) or node
    call = scope.names.call(node)
    if not side or call is None or call[0] != "torch.arange" or len(call[1]) != 1:
        return None
    return ast.dump(call[1][0]), side


def square(scope: Scope, index: ast.expr) -> bool:
    """Whether slicing a causal square by `index` leaves a causal square: `[:T, :T]`, `[None, None]`,
    `[:, :, :T, :T]`.
    """
    items = index.elts if isinstance(index, ast.Tuple) else [index]
    slices = [item for item in items if isinstance(item, ast.Slice) and (item.lower or item.upper or item.step)]
    if not slices:
        return all(not isinstance(item, ast.Constant) or item.value in (None, ...) for item in items)
    if len(slices) != 2 or items[-2:] != slices:
        return False
    if any((item.lower is not None and integer(item.lower) != 0) or item.step is not None for item in slices):
        return False
    first, second = slices[0].upper, slices[1].upper
    return first is not None and second is not None and ast.dump(first) == ast.dump(second)


def square_of(scope: Scope, node: ast.expr, ones: bool, depth: int = 6) -> bool:
    """`torch.ones(T, T)` (or, not `ones`, `torch.full((T, T), -inf)`), reshaped or cast."""
    if isinstance(node, ast.Name):
        made = definition(scope, node)
        return made is not None and depth > 0 and square_of(scope, made, ones, depth - 1)
    call = scope.names.call(node)
    if call is None:
        return False
    name, args, keywords = call
    if name in _SHAPING and args and depth:
        return square_of(scope, args[0], ones, depth - 1)
    if ones and name == "torch.ones_like":
        return True  # of the scores: what is not square there is not causal here, and the audit sees it
    if ones and name in (".new_ones", "torch.ones", "numpy.ones"):
        args = args[1:] if name == ".new_ones" else args
    elif not ones and name == "torch.full":
        fill = pick(args, keywords, 1, "fill_value")
        if fill is None or not minus_infinity(scope, fill):
            return False
        args = args[:1]
    else:
        return False
    shape = keywords.get("size", args[0] if len(args) == 1 else None)
    items = shape.elts if isinstance(shape, (ast.Tuple, ast.List)) else args
    return len(items) >= 2 and ast.dump(items[-1]) == ast.dump(items[-2])


def causal_term(scope: Scope, mask: Mask) -> bool:
    """Whether the mask keeps exactly the positions on and below the diagonal."""
    if mask.kind in ("drop", "keep"):
        return causal(scope, mask.node) == mask.kind
    return mask.kind == "add" and _causal_bias(scope, mask.node)


def _causal_bias(scope: Scope, node: ast.expr, depth: int = 8) -> bool:
    """Minus infinity strictly above the diagonal of a square and zero elsewhere."""
    kept = scope.attribute(node)
    if kept is not None:
        return depth > 0 and _causal_bias(scope.constructor, kept, depth - 1)
    if isinstance(node, ast.Name):
        made = definition(scope, node)
        return made is not None and depth > 0 and _causal_bias(scope, made, depth - 1)
    if isinstance(node, ast.Subscript):
        return square(scope, node.slice) and _causal_bias(scope, node.value, depth - 1)
    call = scope.names.call(node)
    if call is None or depth == 0:
        return False
    name, args, keywords = call
    if name.endswith("generate_square_subsequent_mask"):
        return True
    if name in ("torch.triu", ".triu"):
        return integer(pick(args, keywords, 1, "diagonal")) == 1 and square_of(scope, args[0], ones=False)
    return name in _SHAPING and bool(args) and _causal_bias(scope, args[0], depth - 1)


def keep_text(scope: Scope, mask: Mask) -> str:
    """The boolean mask for SDPA: true where attention is allowed."""
    node = mask.node
    if mask.kind == "keep":
        return scope.text(node)
    match node:
        case ast.UnaryOp(op=ast.Invert(), operand=inner):
            return scope.text(inner)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            opposite = {"Eq": "!=", "NotEq": "=="}.get(type(op).__name__)
            if opposite is not None:
                return f"{wrapped(scope, left)} {opposite} {wrapped(scope, right)}"
        case _:
            pass
    call = scope.names.call(node)
    if call is not None and call[0] in (".logical_not", "torch.logical_not") and len(call[1]) == 1:
        return scope.text(call[1][0])
    if call is not None and call[0] in (".eq", ".ne") and len(call[1]) == 2:
        sign = "!=" if call[0] == ".eq" else "=="
        return f"{wrapped(scope, call[1][0])} {sign} {wrapped(scope, call[1][1])}"
    return f"~{wrapped(scope, node)}"
