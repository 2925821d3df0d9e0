"""Single operations around attention, in every spelling: products, transposes, softmax, fills, casts,
dropout.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass

from .flow import number
from .scope import Scope

CASTS = frozenset({
    ".to", ".type", ".type_as", ".float", ".half", ".bfloat16", ".double", ".contiguous", ".clone",
})  # fmt: skip


def pick(args: list[ast.expr], keywords: dict[str, ast.expr], index: int, *names: str) -> ast.expr | None:
    """An argument by place or by any of its names."""
    for name in names:
        if name in keywords:
            return keywords[name]
    return args[index] if index < len(args) else None


def integer(node: ast.expr | None) -> int | None:
    value = number(node)
    return int(value) if value is not None and math.isfinite(value) and value == int(value) else None


def wrapped(scope: Scope, node: ast.expr) -> str:
    """The node's text, in parentheses where it does not bind as tightly as a name."""
    text = scope.text(node)
    tight = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Tuple, ast.List, ast.Constant)
    return text if isinstance(node, tight) else f"({text})"


@dataclass(frozen=True)
class Product:
    """`left @ right` over the last two dims; texts already brought to that layout, `order` brings the
    result back.
    """

    left: ast.expr
    right: ast.expr
    left_text: str
    right_text: str
    rank: int | None = None
    order: tuple[int, ...] = ()


def product(scope: Scope, node: ast.expr) -> Product | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return Product(node.left, node.right, wrapped(scope, node.left), wrapped(scope, node.right))
    call = scope.names.call(node)
    if call is None:
        return None
    name, args, keywords = call
    if name in ("torch.matmul", "torch.bmm", "torch.mm", ".matmul", ".bmm", ".mm", "torch.linalg.matmul"):
        left, right = pick(args, keywords, 0, "input"), pick(args, keywords, 1, "other", "mat2", "tensor2")
        if left is None or right is None or set(keywords) - {"input", "other", "mat2", "tensor2"}:
            return None
        rank = 3 if name.endswith("bmm") else 2 if name.endswith(".mm") else None
        return Product(left, right, wrapped(scope, left), wrapped(scope, right), rank)
    if name in ("torch.einsum", "einops.einsum"):
        return _einsum(scope, name, args)
    return None


def _equation(text: str) -> tuple[str, str, str] | None:
    """`bhqd,bhkd->bhqk` as its three words; einops' spaced words are renamed to letters."""
    left, arrow, out = text.partition("->")
    operands = left.split(",")
    parts = [item.strip() for item in (*operands, out)]
    if all(item.startswith("...") and len(item.replace(" ", "")) == 5 for item in parts):
        return _equation(text.replace("...", ""))
    if not arrow or len(operands) != 2 or "." in text:
        return None
    words = [operands[0].strip(), operands[1].strip(), out.strip()]
    if any(" " in word for word in words):
        names = sorted({name for word in words for name in word.split()})
        letters = {name: chr(ord("a") + index) for index, name in enumerate(names)}
        words = ["".join(letters[name] for name in word.split()) for word in words]
    if any(len(set(word)) != len(word) or not word.isalpha() for word in words):
        return None
    return words[0], words[1], words[2]


def _einsum(scope: Scope, name: str, args: list[ast.expr]) -> Product | None:
    if name.startswith("torch") and len(args) == 2 and isinstance(args[1], (ast.List, ast.Tuple)):
        args = [args[0], *args[1].elts]
    if len(args) != 3:
        return None
    spec, left, right = (args[2], args[0], args[1]) if name.startswith("einops") else args
    if not isinstance(spec, ast.Constant) or not isinstance(spec.value, str):
        return None
    words = _equation(spec.value)
    if words is None:
        return None
    a, b, out = words
    batch = [letter for letter in out if letter in a and letter in b]
    rows, columns = set(a) - set(b), set(b) - set(a)
    summed = (set(a) & set(b)) - set(out)
    if not (len(rows) == len(columns) == len(summed) == 1) or set(out) != set(batch) | rows | columns:
        return None
    (row,), (column,), (inner,) = rows, columns, summed
    if out.index(row) > out.index(column):
        left, right, a, b, row, column = right, left, b, a, column, row
    laid = [*batch, row, column]
    return Product(
        left, right,
        wrapped(scope, left) + permuted([a.index(letter) for letter in [*batch, row, inner]]),
        wrapped(scope, right) + permuted([b.index(letter) for letter in [*batch, inner, column]]),
        None if "..." in spec.value else len(out), tuple(laid.index(letter) for letter in out),
    )  # fmt: skip


def permuted(order: list[int]) -> str:
    """The method call that lays dims out in `order`: nothing, a transpose of two, or a permute."""
    moved = [place for place, dim in enumerate(order) if place != dim]
    if not moved:
        return ""
    if len(moved) == 2:
        first, second = moved
        last = len(order) - 1
        return ".transpose(-2, -1)" if (first, second) == (last - 1, last) else f".transpose({first}, {second})"
    return f".permute({', '.join(map(str, order))})"


def transposed(scope: Scope, node: ast.expr) -> ast.expr | None:
    """x, where `node` swaps the last two dims of x."""
    if isinstance(node, ast.Attribute) and node.attr in ("mT", "T"):
        return node.value
    call = scope.names.call(node)
    if call is None or not call[1]:
        return None
    name, args, keywords = call
    rest = args[1:]
    if name in (".t", "torch.t"):
        return args[0]
    if name in (".contiguous",):
        return transposed(scope, args[0])
    if name in (".transpose", "torch.transpose", ".swapaxes", ".swapdims"):
        dims = {
            integer(pick(rest, keywords, 0, "dim0", "axis0")),
            integer(pick(rest, keywords, 1, "dim1", "axis1")),
        }
        return args[0] if dims in ({-2, -1}, {3, 2}, {2, 1}, {3, -2}, {2, -1}) else None
    if name in (".permute", "torch.permute"):
        items = rest[0].elts if len(rest) == 1 and isinstance(rest[0], (ast.Tuple, ast.List)) else rest
        order = [integer(item) for item in items]
        plain = list(range(len(order)))
        if len(order) >= 2 and [dim % len(order) if dim is not None else -1 for dim in order] == [
            *plain[:-2], plain[-1], plain[-2],
        ]:  # fmt: skip
            return args[0]
    if name == "einops.rearrange" and len(args) == 2 and isinstance(args[1], ast.Constant):
        left, _, right = str(args[1].value).partition("->")
        a, b = left.split(), right.split()
        if "(" not in left + right and len(a) == len(b) >= 2 and [*a[:-2], a[-1], a[-2]] == b:
            return args[0]
    return None


def transposed_rank(scope: Scope, node: ast.expr) -> int | None:
    """The rank that a transpose with positive dims gives away: `transpose(1, 2)` on the last two dims
    means 3.
    """
    call = scope.names.call(node)
    if call is None:
        return None
    name, args, _ = call
    if name in (".transpose", "torch.transpose", ".swapaxes", ".swapdims") and len(args) == 3:
        dims = [integer(args[1]), integer(args[2])]
        known = [dim for dim in dims if dim is not None]
        if len(known) == 2 and min(known) >= 0:
            return max(known) + 1
    if name in (".permute", "torch.permute") and len(args) > 2:
        return len(args) - 1
    return None


def softmax(scope: Scope, node: ast.expr) -> tuple[ast.expr, int] | None:
    """(input, dim) of a softmax call in any spelling."""
    call = scope.names.call(node)
    if call is not None and not is_own(scope, node):
        name, args, keywords = call
        if name in ("torch.softmax", "torch.nn.functional.softmax", ".softmax"):
            source = pick(args, keywords, 0, "input")
            dim = integer(pick(args, keywords, 1, "dim", "axis"))
            return (source, dim) if source is not None and dim is not None else None
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        made = scope.module(node.func)
        if made is not None and made[0] == "torch.nn.Softmax":
            keywords = {key.arg: key.value for key in made[1].keywords if key.arg}
            dim = integer(pick(made[1].args, keywords, 0, "dim"))
            return (node.args[0], dim) if dim is not None else None
    return None


def is_own(scope: Scope, node: ast.AST) -> bool:
    """`self.softmax(x)`: a layer under the name of a tensor's method."""
    return isinstance(node, ast.Call) and scope.attribute(node.func) is not None


def dropout(scope: Scope, node: ast.expr) -> tuple[ast.expr, str] | None:
    """(input, text of dropout_p) of a dropout in any spelling; an identity gives an empty text."""
    call = scope.names.call(node)
    if call is not None and call[0] in ("torch.nn.functional.dropout", "torch.dropout"):
        _, args, keywords = call
        source, p = pick(args, keywords, 0, "input"), pick(args, keywords, 1, "p")
        training = pick(args, keywords, 2, "training", "train")
        if source is None:
            return None
        rate = scope.text(p) if p is not None else "0.5"
        if number(p) == 0:
            return source, ""
        if training is None or (isinstance(training, ast.Constant) and training.value is True):
            return source, rate
        if isinstance(training, ast.Constant):
            return source, ""
        return source, f"{rate} if {scope.text(training)} else 0.0"
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        return _dropout_module(scope, node)
    return None


def _dropout_module(scope: Scope, node: ast.Call) -> tuple[ast.expr, str] | None:
    if isinstance(node.func, ast.Name) and node.func.id in scope.dropouts:
        return node.args[0], f"{node.func.id}.p if {node.func.id}.training else 0.0"
    made = scope.module(node.func)
    if made is None or made[0] not in ("torch.nn.Dropout", "torch.nn.Identity", "torch.nn.Dropout1d"):
        return None
    if made[0] == "torch.nn.Identity":
        return node.args[0], ""
    if made[0] != "torch.nn.Dropout":
        return None
    if scope.attribute(node.func) is None:
        p = pick(made[1].args, {key.arg: key.value for key in made[1].keywords if key.arg}, 0, "p")
        return node.args[0], scope.text(p) if p is not None else "0.5"
    owner = scope.text(node.func)
    return node.args[0], f"{owner}.p if {owner}.training else 0.0"
