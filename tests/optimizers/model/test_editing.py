from __future__ import annotations

import pytest

from outpace_optimizers.model.editing import edited, patch_of
from outpace_optimizers.model.normalised import fingerprint
from outpace_optimizers.model.reply import Edit, ReplyError
from outpace_optimizers.source import parse

TEXT = """import torch

SCALE = 2.0


def helper(x):
    return x * SCALE


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.width = 4

    def forward(self, x):
        return helper(x) + self.width


def unrelated(x):
    return x - 1


def get_inputs():
    return [torch.randn(4, 4)]
"""


def spans(*edits: tuple[str, str]) -> list[str]:
    source = parse("net.py", TEXT)
    patch = patch_of(source, "Net", edited(source, [Edit(*edit) for edit in edits]))
    assert patch.path == "net.py"
    return [span.qualname for span in patch.spans]


@pytest.mark.parametrize(
    ("edits", "changed"),
    [
        ([("x * SCALE", "x.mul(SCALE)")], ["helper"]),
        ([("helper(x) +", "(x * SCALE) +")], ["Net.forward"]),
        ([("x * SCALE", "x.mul(SCALE)"), ("helper(x) +", "self.width +")], ["helper", "Net.forward"]),
        ([("import torch\n", "import torch\nimport math\n"), ("x * SCALE", "math.pi * x")], ["helper"]),
        ([("self.width = 4\n", "self.width = 4\n\n    def more(self):\n        return 1\n")], ["Net"]),
        (
            [("class Net", "def fused(x):\n    return x\n\n\nclass Net"), ("helper(x) +", "fused(x) +")],
            ["Net.forward", "fused"],
        ),
    ],
    ids=["function", "method", "two", "import", "new-method", "new-function"],
)
def test_a_patch_declares_what_it_changed(edits: list[tuple[str, str]], changed: list[str]) -> None:
    assert spans(*edits) == changed


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ([("x - 1", "x")], "outside what may change .*unrelated"),
        ([("randn(4, 4)", "zeros(1, 1)")], "outside what may change .*get_inputs"),
        ([("SCALE = 2.0", "SCALE = 1.0")], "statements at the top"),
        ([("class Net", "LIMIT = 3\n\n\nclass Net")], "statements at the top"),
        ([("class Net", "def unrelated(x):\n    return x\n\n\nclass Net")], "statements at the top|unrelated"),
        ([("not there", "x")], "edit 1: the search block is not in the file"),
        ([("return", "yield")], "is in the file 4 times"),
        ([("x * SCALE", "x *")], "not Python"),
        ([(" \n", "x")], "is empty"),
        ([("x * SCALE", "x * <removed>")], "was not shown"),
        ([("x * SCALE", "x * '\ud800'")], "cannot be written|not Python"),
        ([("x * SCALE", "x" * 1_000_001)], "grows beyond"),
    ],
)
def test_what_is_more_than_an_edit_may_be_is_refused_with_the_reason(edits: list[tuple[str, str]], said: str) -> None:
    with pytest.raises(ReplyError, match=said):
        spans(*edits)


def test_a_file_with_other_newlines_keeps_them() -> None:
    source = parse("net.py", TEXT.replace("\n", "\r\n"))
    new = edited(source, [Edit("def helper(x):\n    return x * SCALE", "def helper(x):\n    return SCALE * x")])
    assert new == TEXT.replace("\n", "\r\n").replace("x * SCALE", "SCALE * x")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("def f(x):\n    '''Adds.'''\n    other = x + 1  # one\n\n    return (other)\n", True),
        ("def f(x):\n    y = x + 1\n    pass\n    return y\n", True),
        ("def f(x):\n    y = 1 + x\n    return y\n", False),
        ("def f(z):\n    y = z + 1\n    return y\n", False),
        ("def f(x):\n    global y\n    y = x + 1\n    return y\n", False),
    ],
    ids=["comments-and-names", "pass", "order", "parameter", "global"],
)
def test_a_fingerprint_sees_what_runs_and_nothing_else(other: str, same: bool) -> None:
    assert (fingerprint("def f(x):\n    y = x + 1\n    return y\n") == fingerprint(other)) is same


def test_swapped_locals_are_another_change() -> None:
    first = "def f(x):\n    a = x\n    b = x + 1\n    return a - b\n"
    assert fingerprint(first) == fingerprint(first.replace("a", "c"))
    assert fingerprint(first) != fingerprint(first.replace("a - b", "b - a"))
