"""Which results of a function nobody reads, and whether another file could."""

from __future__ import annotations

from pathlib import Path

import pytest

from outpace_optimizers.rules.callers import Callers, imported_elsewhere
from outpace_optimizers.source import parse

LAYER = """class A(nn.Module):
    def forward(self, x):
        return x, x * 2
class B(nn.Module):
    def __init__(self):
        {made}
    def forward(self, x):
        {used}
"""


def unread(text: str, name: str, symbol: str, index: int = 1) -> bool:
    source = parse("a.py", text)
    return Callers(source, symbol).unread(source.definitions[name], index, 2)


@pytest.mark.parametrize(
    ("used", "nobody"),
    [
        ("y, _ = f(x)\n    return y", True),
        ("y, z = f(x)\n    return y", True),
        ("return f(x)[0]", True),
        ("both = f(x)\n    return both[0]", True),
        ("y, z = f(x)\n    z = y\n    return z", True),
        ("y, z = f(x)\n    return y + z", False),
        ("y, z = f(x)\n    return y, z", False),
        ("return f(x)", False),
        ("return f(x)[-1]", False),
        ("both = f(x)\n    return both[0] + sum(both)", False),
        ("y, *z = f(x)\n    return y", False),
        ("for _ in x:\n        y, z = f(x)\n        print(z)\n    return y", False),
        ("x.z = 1\n    y, x.z = f(x)\n    return y", False),
        ("return list(map(f, x))[0][0]", False),
        ("return getattr(x, 'f')(x)[0]", False),
        ("return x", False),
    ],
)
def test_a_result_is_unread_where_every_call_drops_it(used: str, nobody: bool) -> None:
    assert unread(f"def f(x):\n    return x, x * 2\ndef g(x):\n    {used}\n", "f", "g") is nobody


def test_what_a_caller_returns_is_unread_where_its_own_callers_drop_it() -> None:
    text = "def f(x):\n    return x, x * 2\ndef g(x):\n    y, z = f(x)\n    return y, 0, z\n"
    text += "def h(x):\n    return g(x)[{}]\n"
    assert unread(text.format(0), "f", "h")
    assert not unread(text.format(2), "f", "h")
    assert not unread(text.format(0), "f", "g"), "the target's own results are read by whoever calls it"


@pytest.mark.parametrize(
    ("made", "used", "nobody"),
    [
        ("self.a = A()", "return self.a(x)[0]", True),
        (
            "self.a = nn.ModuleList([A() for _ in range(3)])",
            "for a in self.a:\n            x, _ = a(x)\n        return x",
            True,
        ),
        ("self.a = nn.ModuleList([A(), A()])", "return self.a[0](x)[0] + self.a[1](x)[0]", True),
        ("self.a = nn.ModuleList([A(), A()])", "return self.a[0](x)[0] + self.a[1](x)[1]", False),
        ("self.a = nn.Sequential(A())", "return self.a(x)[0]", False),
        ("self.a = A()", "return checkpoint(self.a, x)[0]", False),
        ("self.a = A()", "return self.a.forward(x)[0]", False),
        ("self.a = wrap(A())", "return self.a(x)[0]", False),
        ("a = A()", "return x", False),
    ],
)
def test_a_layer_is_followed_through_the_attribute_that_holds_it(made: str, used: str, nobody: bool) -> None:
    assert unread(LAYER.format(made=made, used=used), "A.forward", "B") is nobody


def test_another_file_that_imports_this_one_may_read_everything(tmp_path: Path) -> None:
    package = tmp_path / "models"
    package.mkdir()
    ours = package / "layers.py"
    ours.write_text("x = 1\n")
    (package / "other.py").write_text("# layers\nimport math\n")
    assert not imported_elsewhere(str(ours))
    (tmp_path / "train.py").write_text("from models.layers import x\n")
    (tmp_path / "pyproject.toml").touch()
    assert imported_elsewhere(str(ours))
    (tmp_path / "train.py").unlink()
    (package / "other.py").write_text("from . import layers\n")
    assert imported_elsewhere(str(ours))
