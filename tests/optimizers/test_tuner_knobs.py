"""Which numbers of a file are sizes that may be tried otherwise, and the text with others. Triton is not imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from outpace_audit.records import Code
from outpace_optimizers.source import differs_outside, tree_of
from outpace_optimizers.tuner.finding import find_knobs
from outpace_optimizers.tuner.knobs import Knob, said, written

KERNEL = """import torch, triton
import triton.language as tl


@triton.jit
def double(x, out, n, BLOCK: tl.constexpr, FLAG: tl.constexpr, HEAD_DIM: tl.constexpr = 64):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    d = tl.arange(0, HEAD_DIM)
    tl.store(out + at, 2 * tl.load(x + at, mask=at < n), mask=at < n)


"""
LOOPED = KERNEL.replace("    d = tl", "    for _ in range(n):\n        pass\n    d = tl")


def code(text: str, symbol: str = "f") -> Code:
    return Code("/nowhere/a.py", text, symbol, "function")


def found(text: str, symbol: str = "f") -> dict[str, int]:
    return {knob.name: knob.value for knob in find_knobs(code(text, symbol))}


def rewritten(text: str, symbol: str = "f", **values: int) -> str:
    """With other values by the knobs' names; within the spans that the patch declares."""
    knobs = find_knobs(code(text, symbol))
    assert set(values) <= {knob.name.replace(" ", "_") for knob in knobs}
    wanted = tuple(values.get(knob.name.replace(" ", "_"), knob.value) for knob in knobs)
    patch = written(code(text, symbol), knobs, wanted)
    tree_of(patch.new_source)
    assert not differs_outside(text, patch.new_source, tuple(span.qualname for span in patch.spans))
    return patch.new_source


def launch(arguments: str, before: str = "", grid: str = "grid") -> str:
    return f"def f(x):\n    n = x.numel()\n{before}    double[{grid}](x, x, n, {arguments})\n    return x\n"


@pytest.mark.parametrize(
    ("text", "knobs"),
    [
        (KERNEL + launch("BLOCK=64, FLAG=1"), {"BLOCK": 64, "num_warps": 4}),
        (KERNEL + launch("64, 1"), {"BLOCK": 64, "num_warps": 4}),
        (KERNEL + launch("BLOCK=64, FLAG=1, num_warps=2, num_stages=2"), {"BLOCK": 64, "num_warps": 2}),
        (LOOPED + launch("BLOCK=64, FLAG=1, num_stages=2"), {"BLOCK": 64, "num_warps": 4, "num_stages": 2}),
        (KERNEL + launch("BLOCK=64, FLAG=1, HEAD_DIM=32, **more"), {"BLOCK": 64}),
        (KERNEL + launch("BLOCK=size, FLAG=1", "    size = 64\n"), {"size": 64, "num_warps": 4}),
        (KERNEL + launch("BLOCK=size, FLAG=1", "    size = 64\n    size = 32\n"), {"num_warps": 4}),
        (KERNEL + launch("BLOCK=size, FLAG=1", "    size = 64\n    size *= 2\n"), {"num_warps": 4}),
        (KERNEL + launch("BLOCK=size, FLAG=1", "    for size in (1, 2):\n        pass\n"), {"num_warps": 4}),
        (KERNEL + launch("BLOCK=triton.next_power_of_2(n), FLAG=1"), {"num_warps": 4}),
        ("SIZE = 64\n" + KERNEL + launch("BLOCK=SIZE, FLAG=1"), {"SIZE": 64, "num_warps": 4}),
        ("SIZE = 64\n" + KERNEL + launch("BLOCK=SIZE, FLAG=1", "    SIZE = n\n"), {"num_warps": 4}),
        ("SIZE = 64\nSIZE = 32\n" + KERNEL + launch("BLOCK=SIZE, FLAG=1"), {"num_warps": 4}),
        ("SIZE = 64\n" + KERNEL + launch("BLOCK=SIZE, FLAG=1") + "def g():\n    return SIZE\n", {"num_warps": 4}),
        ("SIZE = 64\n" + KERNEL + launch("BLOCK=SIZE, FLAG=1") + "HALF = SIZE // 2\n", {"num_warps": 4}),
        ("SIZE = 64\n__all__ = ['SIZE']\n" + KERNEL + launch("BLOCK=SIZE, FLAG=1"), {"num_warps": 4}),
        (KERNEL.replace("@triton.jit", "@other.jit") + launch("BLOCK=64, FLAG=1"), {}),
        (KERNEL.replace("@triton.jit", "@triton.heuristics({})\n@triton.jit") + launch("BLOCK=64, FLAG=1"), {}),
        (
            KERNEL.replace("triton.jit", "jit").replace("tl\n", "tl\nfrom triton import jit\n", 1)
            + launch("BLOCK=64, FLAG=1"),
            {"BLOCK": 64, "num_warps": 4},
        ),
    ],
)
def test_what_is_a_knob_of_a_launch(text: str, knobs: dict[str, int]) -> None:
    assert found(text) == knobs


LOOP = "def f(x):\n    out = []\n{}    for i in range(0, len(x), {}):\n        out.append({})\n    return out\n"


@pytest.mark.parametrize(
    ("text", "knobs"),
    [
        (LOOP.format("", "4", "x[i : i + 4]"), {"step of range": 4}),
        (LOOP.format("", "2", "x[i] * x[i + 1]"), {}),  # pairs, not pieces
        (LOOP.format("    c = 4\n", "c", "x[i : i + c]"), {"c": 4}),
        (LOOP.format("    c = 4\n", "c", "x.narrow(0, i, min(c, len(x) - i))"), {"c": 4}),
        (LOOP.format("    c = len(x) // 4\n", "c", "x[i : i + c]"), {}),
        ("def f(x, c=4):\n    return [x[i : i + c] for i in range(0, len(x), c)]\n", {}),
        ("C = 4\ndef f(x):\n    return [x[i : i + C] for i in range(0, len(x), C)]\n", {"C": 4}),
        ("C = 4\ndef f(x):\n    return [x[i * C : i * C + C] for i in range(len(x) // C)]\n", {"C": 4}),
        ("C = 4\ndef f(x):\n    global C\n    return [x[i : i + C] for i in range(0, len(x), C)]\n", {}),
        ("def f(x):\n    return [p.sum() for p in x.split(4)]\n", {"split": 4}),
        ("import torch as t\ndef f(x):\n    return [p.sum() for p in t.split(x, 4, dim=1)]\n", {"split": 4}),
        ("def f(x):\n    parts = x.chunk(8)\n    return [p.sum() for p in parts]\n", {"chunk": 8}),
        ("def f(x):\n    parts = x.chunk(8)\n    return parts[0]\n", {}),
        ("def f(x):\n    q, k = x.split(64, -1)\n    return q @ k\n", {}),
        ("def f(x):\n    return [p for p in 'a,b'.split(',')]\n", {}),
    ],
)
def test_what_is_a_knob_of_pieces(text: str, knobs: dict[str, int]) -> None:
    assert found(text) == knobs


def test_a_constant_that_another_file_reads_is_no_knob(tmp_path: Path) -> None:
    text = "C = 4\ndef f(x):\n    return [x[i : i + C] for i in range(0, len(x), C)]\n"
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "sizes.py").write_text(text)
    here = Code(str(tmp_path / "sizes.py"), text, "f", "function")
    (tmp_path / "other.py").write_text("from sizes import f\n")
    assert [knob.name for knob in find_knobs(here)] == ["C"]
    (tmp_path / "other.py").write_text("from sizes import C\n")
    assert not find_knobs(here)


def test_a_constant_changes_everywhere_at_once() -> None:
    text = "SIZE = 64\n" + KERNEL + launch("BLOCK=SIZE, FLAG=1", grid="(triton.cdiv(n, SIZE),)")
    assert rewritten(text, SIZE=256) == text.replace("SIZE = 64", "SIZE = 256")


def test_warps_are_added_behind_the_last_argument() -> None:
    text = KERNEL + launch("BLOCK=64,\n        FLAG=1,  # said\n    ")
    assert rewritten(text, num_warps=8) == text.replace("FLAG=1,  # said", "FLAG=1, num_warps=8,  # said")
    assert "num_warps" not in found(KERNEL + launch("BLOCK=64, FLAG=(1)"))


def test_a_number_that_the_grid_spells_again_changes_with_its_block() -> None:
    text = KERNEL + launch("BLOCK=64, FLAG=1", grid="(triton.cdiv(n, 64),)")
    assert rewritten(text, BLOCK=128) == text.replace("BLOCK=64", "BLOCK=128").replace("(n, 64)", "(n, 128)")
    named = KERNEL + launch("BLOCK=64, FLAG=1", "    grid = (triton.cdiv(n, 64),)\n")
    assert rewritten(named, BLOCK=128).count("128") == 2
    both = KERNEL.replace("FLAG:", "TILE:") + launch("BLOCK=64, TILE=64", grid="(triton.cdiv(n, 64),)")
    assert found(both) == {"num_warps": 4}, "which one the grid means is not to be seen"


def test_the_step_of_a_loop_changes_with_what_it_reaches() -> None:
    text = LOOP.format("", "4", "x[i : i + 4] * 4")
    assert rewritten(text, step_of_range=64) == LOOP.format("", "64", "x[i : i + 64] * 4")
    zipped = "def f(x, y):\n    return [p @ q for p, q in zip(x.split(4), y.split(4))]\n"
    assert rewritten(zipped, split=8) == zipped.replace("4", "8")


def test_the_only_configuration_of_an_autotuned_kernel_is_tuned() -> None:
    one = "@triton.autotune(configs=[triton.Config({'BLOCK': 64}, num_warps=2)], key=['n'])\n@triton.jit"
    text = KERNEL.replace("@triton.jit", one) + launch("FLAG=1")
    assert found(text) == {"BLOCK": 64, "num_warps": 2}
    assert "{'BLOCK': 128}" in rewritten(text, BLOCK=128)
    two = one.replace("num_warps=2)", "num_warps=2), triton.Config({'BLOCK': 32})")
    assert not found(KERNEL.replace("@triton.jit", two) + launch("FLAG=1"))


def test_columns_count_characters_not_bytes() -> None:
    text = LOOP.format("", "4", "'ä€𝄞', x[i : i + 4]").replace("\n", "\r\n")
    assert rewritten(text, step_of_range=8) == text.replace("4", "8")


def test_a_backward_pass_has_knobs_of_its_own() -> None:
    text = f"""{KERNEL}class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        double[grid](x, x, 1, BLOCK=64, FLAG=1)
        return x

    @staticmethod
    def backward(ctx, g):
        double[grid](g, g, 1, BLOCK=32, FLAG=1)
        return g


def f(x):
    return Doubled.apply(x)
"""
    assert sorted(found(text).values()) == [4, 4, 32, 64]


def test_a_title_names_the_values_that_change() -> None:
    knobs = [Knob("BLOCK", 64, (64, 256), (), "f"), Knob("num_warps", 4, (4, 8), (), "f")]
    assert said(knobs, (256, 8)) == "BLOCK 64 -> 256, num_warps 4 -> 8"
    assert said(knobs, (64, 8)) == "num_warps 4 -> 8"
