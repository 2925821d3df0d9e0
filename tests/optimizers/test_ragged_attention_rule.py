"""What `ragged-attention` writes: the call for all pieces gives what the loop gave."""

from __future__ import annotations

from typing import Any

import pytest

from outpace_audit.records import Code
from outpace_optimizers.rules import ragged_attention
from outpace_optimizers.rules.ragged_attention import RULE

torch = pytest.importorskip("torch")

TEXTS = ragged_attention._TEXTS  # pyright: ignore[reportPrivateUsage]
LOOPED = """import torch
import torch.nn.functional as F


def attend(q, k, v, sizes):
    out = []
    for a, b, c in zip(q.split(sizes, 1), k.split(sizes, 1), v.split(sizes, 1)):
        out.append(F.scaled_dot_product_attention(a, b, c))
    return torch.cat(out, 1)
"""


def helpers() -> dict[str, Any]:
    space: dict[str, Any] = {"torch": torch}
    for text in TEXTS.values():
        exec(text, space)
    return space


def results(
    function: Any, sizes: list[int], shape: tuple[int, ...], dtype: Any, device: str, options: dict[str, Any]
) -> list[Any]:
    """The result and three gradients."""
    torch.manual_seed(0)
    given = [torch.randn(shape, dtype=dtype).to(device).requires_grad_() for _ in range(3)]
    out = function(*given, sizes, **options)
    flow = torch.randn(out.shape, dtype=dtype).to(device)
    return [out.detach(), *torch.autograd.grad(out, given, flow)]


def flash_by_offsets(q: Any, k: Any, v: Any, ends: Any, _: Any, longest: int, __: int, *given: Any, scale: Any) -> Any:
    """What stands in for the kernel, which CPUs lack: [rows, heads, width], cut at `ends`."""
    assert ends.dtype is torch.int32 and given == (0.0, False, False)
    sizes = ends.diff().tolist()
    assert longest == max(sizes) and min(sizes) > 0
    pieces = zip(*(x.transpose(0, 1).split(sizes, 1) for x in (q, k, v)), strict=True)
    attention = torch.nn.functional.scaled_dot_product_attention
    return (torch.cat([attention(*each, scale=scale) for each in pieces], 1).transpose(0, 1),)


@pytest.mark.parametrize("shape", [(1, 3, 9, 8), (3, 9, 8), (2, 3, 9, 8)], ids=str)
@pytest.mark.parametrize("sizes", [[2, 3, 4], [0, 4, 0, 5], [1] * 9], ids=str)
@pytest.mark.parametrize("options", [{}, {"scale": 0.3}], ids=str)
def test_all_pieces_at_once(
    shape: tuple[int, ...], sizes: list[int], options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    space = helpers()
    monkeypatch.setattr(torch.ops.aten, "_flash_attention_forward", flash_by_offsets)
    space["ragged_attention_fits"] = lambda *given: True
    at_once = results(space["ragged_attention"], sizes, shape, torch.float64, "cpu", options)
    space["ragged_attention_fits"] = lambda *given: False
    looped = results(space["ragged_attention"], sizes, shape, torch.float64, "cpu", options)
    for one, two in zip(looped, at_once, strict=True):
        torch.testing.assert_close(two, one)


@pytest.mark.gpu
@pytest.mark.parametrize("width", [8, 72, 128])
@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"scale": 0.3}], ids=str)
def test_one_kernel_gives_what_the_loop_gives(width: int, options: dict[str, Any]) -> None:
    space, sizes, shape = helpers(), [200, 0, 1, 99], (1, 4, 300, width)
    assert space["ragged_attention_fits"](*[torch.empty(shape, device="cuda", dtype=torch.bfloat16)] * 3)
    at_once = results(space["ragged_attention"], sizes, shape, torch.bfloat16, "cuda", options)
    space["ragged_attention_fits"] = lambda *given: False
    looped = results(space["ragged_attention"], sizes, shape, torch.bfloat16, "cuda", options)
    for one, two in zip(looped, at_once, strict=True):
        torch.testing.assert_close(two, one, rtol=2e-2, atol=2e-2 * float(one.abs().max()))


def test_a_file_that_has_the_helpers_gets_them_no_second_time() -> None:
    (once,) = RULE.propose(Code("m.py", LOOPED, "attend", "function"))
    more = once.patch.new_source + LOOPED.partition("\n\n")[2].replace("attend(", "again(")
    (twice,) = RULE.propose(Code("m.py", more, "again", "function"))
    assert twice.patch.new_source.count("def ragged_attention(") == 1
    changed = more.replace("q.shape[-1] <= 256", "q.shape[-1] <= 128")
    assert not list(RULE.propose(Code("m.py", changed, "again", "function")))
