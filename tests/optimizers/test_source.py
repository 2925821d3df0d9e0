"""Reading one user file: errors, reach, faithful splicing."""

from __future__ import annotations

import ast

import pytest

from outpace_audit.errors import SourceError, TargetError
from outpace_audit.records import Code
from outpace_optimizers.rules.names import Names
from outpace_optimizers.rules.writing import Edit, make_patch
from outpace_optimizers.source import base_hash, differs_outside, parse, reached

FILE = '''"""Doc."""
import torch as th
from torch.nn import functional as F, Module
from math import sqrt

def helper(x):
    return F.relu(x)

def unused(x):
    return th.softmax(x, -1)

class Inner(Module):
    def forward(self, x):
        return self.step(helper(x))
    def step(self, x):
        return x
    def never(self, x):
        return x

class Outer(Module):
    def __init__(self):
        super().__init__()
        self.inner = Inner()
    def forward(self, x):
        return self.inner(x)

def get_inputs():
    return [helper(th.ones(2))]
'''


def test_a_syntax_error_is_one_line_with_its_place() -> None:
    with pytest.raises(SourceError, match=r"^a\.py:2: "):
        parse("a.py", "x = 1\ny = = 2\n")
    with pytest.raises(SourceError, match=r"^a\.py:1: "):
        parse("a.py", "x = '\0'\n")


def test_reach_follows_names_methods_and_constructed_modules() -> None:
    found = {definition.qualname for definition in reached(parse("a.py", FILE), "Outer")}
    assert found == {
        "helper",
        "Inner",
        "Inner.forward",
        "Inner.step",
        "Outer",
        "Outer.__init__",
        "Outer.forward",
    }


def test_reach_never_includes_the_workload() -> None:
    text = FILE + "\n\ndef target():\n    return Outer()(*get_inputs())\n"
    assert "get_inputs" not in {item.qualname for item in reached(parse("a.py", text), "target")}


def test_a_missing_target_says_so() -> None:
    with pytest.raises(TargetError, match="Missing"):
        reached(parse("a.py", FILE), "Missing")


@pytest.mark.parametrize(
    ("spelling", "full"),
    [
        ("F.softmax", "torch.nn.functional.softmax"),
        ("th.nn.functional.softmax", "torch.nn.functional.softmax"),
        ("sqrt", "math.sqrt"),
        ("th.concat", "torch.cat"),
        ("x.softmax", None),
        ("softmax", None),
    ],
)
def test_aliases_resolve(spelling: str, full: str | None) -> None:
    source = parse("a.py", FILE)
    function = source.definitions["helper"].node
    assert isinstance(function, ast.FunctionDef)
    assert Names(source, function).resolve(ast.parse(spelling, mode="eval").body) == full


def test_a_shadowed_alias_means_nothing() -> None:
    source = parse("a.py", "import torch.nn.functional as F\ndef f(F):\n    return F.softmax(1)\n")
    function = source.definitions["f"].node
    assert isinstance(function, ast.FunctionDef)
    names = Names(source, function)
    assert names.resolve(ast.parse("F.softmax", mode="eval").body) is None
    assert names.spell("torch.nn.functional.relu") == ("torch.nn.functional.relu", "import torch")


def edited(text: str, symbol: str, edit: Edit) -> str | None:
    source = parse("a.py", text)
    patch = make_patch(source, Code("a.py", text, symbol, "function"), source.definitions[symbol], edit)
    if patch is not None:
        assert patch.base_hash == base_hash(text)
    return patch.new_source if patch is not None else None


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("indent", ["    ", "\t", "  "])
def test_only_the_edited_statements_change(newline: str, indent: str) -> None:
    lines = [
        "# é ünïcode  ", "class  A :", "\t@dec",
        "\tasync def f( self,x:int=3 )->str:", "\t\tif x: y = 1; z = 2",
        "\t\t# keep", "\t\tw = '''a", "  b'''  # tail", "\t\treturn w", "", "x=1 ;y=2",
    ]  # fmt: skip
    text = newline.join(line.replace("\t", indent) for line in lines)
    function = parse("a.py", text).definitions["A.f"].node
    assert isinstance(function, ast.AsyncFunctionDef)
    edit = Edit()
    edit.replace(parse("a.py", text), function.body[1], ["a = 1", "b = 2"])
    changed = newline.join([*lines[:6], "\t\ta = 1", "\t\tb = 2", *lines[8:]]).replace("\t", indent)
    assert edited(text, "A.f", edit) == changed


def test_an_import_goes_after_the_file_s_own() -> None:
    text = '"""Doc."""\nfrom __future__ import annotations\nimport os\n\ndef f(x):\n    return x\n'
    function = parse("a.py", text).definitions["f"].node
    assert isinstance(function, ast.FunctionDef)
    edit = Edit(imports=["import torch"])
    edit.before(parse("a.py", text), function.body[0], ["y = torch.relu(x)"])
    expected = text.replace("import os\n", "import os\nimport torch\n").replace(
        "    return", "    y = torch.relu(x)\n    return"
    )
    assert edited(text, "f", edit) == expected


def test_an_edit_that_finds_no_place_makes_no_patch() -> None:
    assert edited("def f(x):\n    return x\n", "f", Edit(replaced={(9, 0): []})) is None


def test_changes_outside_the_span_are_seen() -> None:
    old = "import torch\nA = 1\ndef f():\n    return 1\ndef g():\n    return 2\n"
    assert not differs_outside(old, old.replace("return 1", "return 3"), ("f",))
    assert not differs_outside(old, "import math\n" + old, ("f",))
    assert differs_outside(old, old.replace("return 2", "return 3"), ("f",))
    assert differs_outside(old, old.replace("A = 1", "A = 2"), ("f",))
    assert not differs_outside(old, old.replace("A = 1", "A = 2"), ("f", "A"))
    assert differs_outside(old, old.replace("A = 1", "A = f()"), ("f", "A"))
    assert differs_outside(old, old.replace("import torch\n", ""), ("f",))
