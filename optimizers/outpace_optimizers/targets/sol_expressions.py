"""SOL-ExecBench axis expressions: names, numbers, + - * / // % **, parentheses, unary sign. Never `eval`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

from outpace_audit.errors import WorkloadError

Number = int | float
LARGEST = 2**62
"""No axis is larger: it also stops `9**9**9` before it fills the memory."""

BINARY: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def expression_names(text: str) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(_parse(text)) if isinstance(node, ast.Name))


def evaluate(text: str, names: Mapping[str, int]) -> int:
    """The integer value of an axis expression, or a WorkloadError that says why it has none."""
    try:
        value = _value(_parse(text).body, names)
    except (ZeroDivisionError, OverflowError) as error:
        raise WorkloadError(f"expression {text!r}: {error}") from error
    if isinstance(value, float):
        if not value.is_integer():
            raise WorkloadError(f"expression {text!r} gives {value}, not an integer")
        value = int(value)
    return value


def _parse(text: str) -> ast.Expression:
    try:
        return ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise WorkloadError(f"expression {text!r} does not parse") from error


def _value(node: ast.expr, names: Mapping[str, int]) -> Number:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        value: Number = node.value  # type: ignore[assignment]
    elif isinstance(node, ast.Name):
        if node.id not in names:
            raise WorkloadError(f"expression uses {node.id!r}, which is no earlier axis")
        value = names[node.id]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
        inner = _value(node.operand, names)
        value = -inner if isinstance(node.op, ast.USub) else inner
    elif isinstance(node, ast.BinOp):
        value = _binary(node, _value(node.left, names), _value(node.right, names))
    else:
        raise WorkloadError(
            f"expression part {ast.unparse(node)!r} is not allowed; use names, numbers and + - * / // % **"
        )
    if abs(value) > LARGEST:
        raise WorkloadError(f"expression part {ast.unparse(node)!r} is too large")
    return value


def _binary(node: ast.BinOp, left: Number, right: Number) -> Number:
    if isinstance(node.op, ast.Pow):
        if abs(right) > 64 or (left == 0 and right < 0) or (left < 0 and int(right) != right):
            raise WorkloadError(f"expression part {ast.unparse(node)!r} is out of range")
        power: Number = left**right
        return power
    function = BINARY.get(type(node.op))
    if function is None:
        raise WorkloadError(
            f"expression part {ast.unparse(node)!r} is not allowed; use names, numbers and + - * / // % **"
        )
    return function(left, right)
