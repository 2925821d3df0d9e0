"""`torch.einsum` of two tensors as one product of matrices, with what has to be permuted before and after it."""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Equation:
    """`batch`, `left`, `right`: letters of the result; `summed`: of both factors alone."""

    first: str
    second: str
    result: str
    batch: str
    left: str
    right: str
    summed: str

    @property
    def needs_sizes(self) -> bool:
        """Whether several dimensions become one and have to come apart again."""
        return len(self.left) > 1 or len(self.right) > 1

    def factor_a(self, node: ast.expr) -> ast.expr:
        return _merged(
            _permuted(node, self.first, self.batch + self.left + self.summed), self.batch, self.left, self.summed
        )

    def factor_b(self, node: ast.expr) -> ast.expr:
        order = self.batch + self.summed + self.right
        return _merged(_permuted(node, self.second, order), self.batch, self.summed, self.right)

    def whole(self, node: ast.expr, a: ast.expr, b: ast.expr) -> ast.expr:
        """The product as the equation's result; a and b are the factors, of which sizes are asked."""
        text = ast.unparse(node)
        if len(self.right) > 1:
            text += f".unflatten(-1, ({_sizes(b, self.second, self.right)}))"
        if len(self.left) > 1:
            text += f".unflatten({len(self.batch)}, ({_sizes(a, self.first, self.left)}))"
        return _permuted(_parsed(text), self.batch + self.left + self.right, self.result)


def equation(node: ast.expr | None) -> Equation | None:
    """None for what is no product of matrices: diagonals, sums of one factor, nothing to sum or to keep."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return None
    factors, arrow, result = node.value.replace(" ", "").partition("->")
    first, comma, second = factors.partition(",")
    if (
        not arrow
        or not comma
        or not all(part.isalpha() and len({*part}) == len(part) for part in (first, second, result))
    ):
        return None
    batch = "".join(letter for letter in result if letter in first and letter in second)
    left = "".join(letter for letter in result if letter in first and letter not in second)
    right = "".join(letter for letter in result if letter in second and letter not in first)
    summed = "".join(letter for letter in first if letter in second and letter not in result)
    used = (len(batch + left + summed), len(batch + summed + right), len(batch + left + right))
    whole = used == (len(first), len(second), len(result))
    return Equation(first, second, result, batch, left, right, summed) if whole and left and right and summed else None


def _permuted(node: ast.expr, old: str, new: str) -> ast.expr:
    if old == new:
        return node
    if len(old) > 1 and old[:-2] + old[-1] + old[-2] == new:
        return ast.Attribute(node, "mT", ast.Load())
    return _parsed(f"({ast.unparse(node)}).permute({', '.join(str(old.index(letter)) for letter in new)})")


def _merged(node: ast.expr, batch: str, middle: str, last: str) -> ast.expr:
    text = f"({ast.unparse(node)})"
    if len(last) > 1:
        text += f".flatten({-len(last)})"
    if len(middle) > 1:
        text += f".flatten({len(batch)}, {len(batch) + len(middle) - 1})"
    return _parsed(text)


def _sizes(node: ast.expr, letters: str, wanted: str) -> str:
    return ", ".join(f"{ast.unparse(node)}.shape[{letters.index(letter)}]" for letter in wanted)


def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body
