"""The table of activations against torch itself, and what a formula is read from."""

from __future__ import annotations

import ast
import math
from typing import Any

import pytest

from outpace_audit.records import Code
from outpace_optimizers.rules.constants import constant
from outpace_optimizers.rules.fused_activation import ACTIVATIONS, RULE, Activation
from outpace_optimizers.rules.scope import Scope, scopes

torch = pytest.importorskip("torch")

HEADER = "import math\nimport torch\nimport torch.nn.functional as F\n"


def scope_of(text: str) -> Scope:
    return next(scopes(Code("a.py", HEADER + text, "f", "function")))


def proposals(text: str) -> list[str]:
    found = RULE.propose(Code("a.py", HEADER + text, "f", "function"))
    return [idea.patch.new_source.removeprefix(HEADER) for idea in found]


@pytest.mark.parametrize("row", ACTIVATIONS, ids=lambda row: row.formula)
def test_each_formula_of_the_table_is_its_call(row: Activation) -> None:
    functional, special = torch.nn.functional, torch.special
    names: dict[str, Any] = {"pi": math.pi, "softplus": functional.softplus, "ndtr": special.ndtr, "torch": torch}
    torch.manual_seed(0)
    space = {**names, "x": 3 * torch.randn(64, dtype=torch.float64), "a": 0.3}

    def function(name: str) -> Any:
        def call(*given: Any) -> Any:
            tensors = [torch.as_tensor(one, dtype=torch.float64) for one in given]
            return torch.clamp(given[0], *given[1:]) if name == "clamp" else getattr(torch, name)(*tensors)

        return call

    for node in ast.walk(ast.parse(row.formula)):
        if isinstance(node, ast.Name) and node.id not in space:
            space[node.id] = function(node.id)
    space["where"] = torch.where
    arguments = row.arguments.format(x="x", a="a")
    torch.testing.assert_close(eval(f"{row.call}({arguments})", space), eval(row.formula, space))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("math.sqrt(2.0 / math.pi)", math.sqrt(2 / math.pi)),
        ("-2 ** 0.5 / 2", -(2**0.5) / 2),
        ("torch.sqrt(torch.tensor(2.0))", math.sqrt(2)),
        ("RATE", 0.25),
        ("float(RATE) * 4", 1.0),
        ("TWICE", None),
        ("DECLARED", None),
        ("x", None),
        ("math.log(0)", None),
        ("1 / 0", None),
        ("torch.randn(2)", None),
    ],
)
def test_constants(text: str, value: float | None) -> None:
    others = "RATE = 0.25\nTWICE = 1\nTWICE = 2\nDECLARED = 1\ndef g():\n    global DECLARED\n    DECLARED = 2\n"
    found = constant(scope_of(f"{others}def f(x):\n    return 1\n"), ast.parse(text, mode="eval").body)
    assert found == (pytest.approx(value) if value is not None else None)


def test_names_that_double_a_formula_end_its_reading() -> None:
    body = "".join(f"    x{n + 1} = torch.exp(x{n}) * x{n} + x{n}\n" for n in range(60))
    assert proposals(f"def f(x0):\n{body}    return x60\n") == []


def test_an_operand_bound_anew_is_not_taken_for_the_old_one() -> None:
    body = "    gate = torch.sigmoid(x)\n    x = x + 1\n    return x * gate\n"
    assert proposals(f"def f(x):\n{body}") == []
    body = "    gate = torch.sigmoid(x)\n    y = x + 1\n    return x * gate + y\n"
    assert proposals(f"def f(x):\n{body}") == ["def f(x):\n    y = x + 1\n    return F.silu(x) + y\n"]


def test_random_operands_keep_their_order() -> None:
    body = "    e = torch.exp(F.dropout(x))\n    noise = torch.rand_like(x)\n    return torch.log(1 + e) + noise\n"
    assert proposals(f"def f(x):\n{body}") == []
