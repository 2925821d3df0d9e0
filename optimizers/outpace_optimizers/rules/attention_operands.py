"""The three operands of SDPA, from the two products that were written out."""

from __future__ import annotations

import ast

from .attention_ops import Product, permuted, pick, transposed, wrapped
from .attention_use import Use
from .flow import names_in
from .names import own_nodes
from .scope import Scope


def tight(text: str) -> str:
    """Parentheses around anything but a name, attribute, call or subscript."""
    node = ast.parse(text.strip() if "\n" not in text else f"({text})", mode="eval").body
    if isinstance(node, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)):
        return text
    return text if text.startswith("(") and text.endswith(")") and text.count("(") == 1 else f"({text})"


def _bare(scope: Scope, node: ast.expr) -> ast.expr:
    """The operand without casts to a higher precision: SDPA accumulates in fp32 by itself."""
    call = scope.names.call(node)
    if call is not None and call[1]:
        name, args, keywords = call
        kind = pick(args, keywords, 1, "dtype")
        high = kind is not None and (scope.names.resolve(kind) or "") in ("torch.float32", "torch.float")
        if name == ".float" or (name in (".to", ".type") and high and len(args) + len(keywords) == 2):
            return _bare(scope, args[0])
    return node


def operands_of(scope: Scope, first: Product, last: Product, use: Use) -> list[str] | None:
    """Query, key and value as texts, each laid out (..., length, features); None where they may differ in dtype."""
    left = _bare(scope, first.left) if use.cast else first.left
    query = first.left_text if left is first.left else wrapped(scope, left)
    key = _einsum_key(first) if first.order else _key(scope, first.right, use.cast)
    value = _key(scope, last.left, False) if use.flipped else last.right_text if last.order else scope.text(last.right)
    plain = query[1:-1] if query == f"({scope.text(left)})" else query
    operands = [plain, key, value]
    if not use.cast or not any(_is_widened(scope, text) for text in operands[:2]):
        return operands
    if not value.isidentifier():
        return None
    return [f"{text}.to({value}.dtype)" if _is_widened(scope, text) else text for text in operands]


def _is_widened(scope: Scope, text: str) -> bool:
    """Whether it is a name that was bound to the fp32 of something: `query = query.float()`."""
    for node in own_nodes(scope.function) if text.isidentifier() else ():
        named = isinstance(node, ast.Assign) and any(text in names_in(target) for target in node.targets)
        if named and isinstance(node, ast.Assign) and any(_bare(scope, part) is not part for part in _values(node)):
            return True
    return False


def _values(node: ast.Assign) -> list[ast.expr]:
    return node.value.elts if isinstance(node.value, (ast.Tuple, ast.List)) else [node.value]


def _einsum_key(made: Product) -> str:
    """The right operand laid out (..., key, inner) where the product wants (..., inner, key)."""
    text = made.right_text
    if text.endswith(".transpose(-2, -1)"):
        return text.removesuffix(".transpose(-2, -1)")
    marker = text.rfind(".permute(")
    if marker >= 0 and text.endswith(")"):
        order = [int(item) for item in text[marker + 9 : -1].split(",")]
        return text[:marker] + permuted([*order[:-2], order[-1], order[-2]])
    return text + ".transpose(-2, -1)"


def _key(scope: Scope, right: ast.expr, cast: bool) -> str:
    inner = transposed(scope, right)
    if inner is not None:
        return scope.text(_bare(scope, inner) if cast else inner)
    bare = _bare(scope, right) if cast else right
    if bare is not right:
        inner = transposed(scope, bare)
        if inner is not None:
            return scope.text(inner)
    return wrapped(scope, bare) + ".transpose(-2, -1)"
