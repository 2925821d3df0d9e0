"""Statements in another order: what holds for them, and what no longer does."""

from __future__ import annotations

import pytest

from outpace_server.lsp.rearranged import rearranged
from outpace_server.lsp.regions import region_named

IMPORTS = "import torch\nfrom torch import nn\n"
HELPER = "def scale():\n    return RATE * 2\n"
RATE = "RATE = 3\n"
WORK = "class Work(nn.Module):\n    def forward(self, x):\n        return x + 1 + scale()\n"
INPUTS = "def get_inputs():\n    return [torch.ones(3)]\n"
OTHER = "def other(x):\n    return x\n"
BASE = IMPORTS + RATE + HELPER + OTHER + WORK + INPUTS
CHANGED = BASE.replace("import nn\n", "import nn\nimport math\n").replace("x + 1 +", "torch.add(x, 1) +")


@pytest.mark.parametrize(
    "text",
    [
        IMPORTS + RATE + INPUTS + WORK + HELPER,
        IMPORTS + INPUTS + "\n# a thought\n" + RATE + WORK + "\n\n" + OTHER + HELPER,
        WORK + IMPORTS + RATE + OTHER.replace("x", "y") + HELPER + INPUTS,
    ],
)
def test_an_edit_is_made_where_the_statements_stand_now(text: str) -> None:
    order = rearranged(BASE, text, "Work")
    assert order is not None
    made = order.carried_over(BASE, CHANGED, text)
    assert made == text.replace("import nn\n", "import nn\nimport math\n").replace("x + 1 +", "torch.add(x, 1) +")
    assert order.region(region_named(BASE, "Work.forward")) == region_named(text, "Work.forward")


@pytest.mark.parametrize(
    "text",
    [
        RATE + IMPORTS + HELPER + WORK + INPUTS,
        IMPORTS + RATE + HELPER + INPUTS,
        IMPORTS + RATE + INPUTS + WORK + HELPER.replace("2", "3"),
        IMPORTS + RATE + INPUTS + WORK + HELPER + HELPER,
        IMPORTS + RATE + INPUTS + WORK + HELPER + "scale = abs\n",
        IMPORTS + RATE + INPUTS + WORK + HELPER + "(",
    ],
    ids=["order of statements", "one is gone", "another text", "one twice", "one more statement", "no Python"],
)
def test_what_may_mean_something_else_is_another_text(text: str) -> None:
    assert rearranged(BASE, text, "Work") is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("def get_inputs(n=RATE):\n    return [torch.ones(n)]\n", "RATE = 4\n"),
        ("@torch.no_grad()\ndef get_inputs():\n    return [torch.ones(3)]\n", "torch = None\n"),
        (INPUTS, "get_inputs = abs\n"),
        ("class Work(nn.Module):\n    rate = RATE\n", "RATE = 4\n"),
        ("class Work(nn.Module):\n    def forward(self, x):\n        return x\n", "from other import nn\n"),
    ],
    ids=["a default", "a decorator", "the name is bound again", "a class that computes", "a base that is bound again"],
)
def test_what_computes_something_where_it_stands_may_not_move(first: str, second: str) -> None:
    rest = WORK + HELPER
    assert rearranged(IMPORTS + RATE + first + second + rest, IMPORTS + RATE + second + first + rest, "Work") is None


def test_what_lies_between_statements_is_no_edit_of_them() -> None:
    order = rearranged(BASE, IMPORTS + RATE + INPUTS + WORK + HELPER, "Work")
    assert order is not None
    assert order.carried_over(BASE, "import os\n" + BASE, IMPORTS + RATE + INPUTS + WORK + HELPER) is None
    assert order.carried_over(BASE, BASE.replace(OTHER, ""), IMPORTS + RATE + INPUTS + WORK + HELPER) is None
