"""The fused half of what capped-attention writes, which golden cases don't reach without a GPU: run as it is, eager."""

from __future__ import annotations

from typing import Any

import pytest

from outpace_audit.records import Code
from outpace_optimizers.rules.capped_attention import RULE

torch = pytest.importorskip("torch")

TEXT = """\
import torch


def attend(q, k, v, mask, cap: float):
    scores = torch.tanh(q @ k.transpose(-2, -1) * 0.3 / cap) * cap
    scores = scores + mask
    return scores.softmax(-1) @ v
"""


@pytest.fixture(scope="module")
def space() -> dict[str, Any]:
    (idea,) = RULE.propose(Code("attend.py", TEXT, "attend", "function"))
    made: dict[str, Any] = {"__name__": "attend"}
    exec(compile(idea.patch.new_source, "attend.py", "exec"), made)
    return made


MASKS = {
    "none": lambda: None,
    "of heads": lambda: torch.randn(1, 4, 1, 7, dtype=torch.float64),
    "of batches": lambda: torch.randn(2, 1, 6, 7, dtype=torch.float64),
    "kept": lambda: torch.rand(6, 7) < 0.8,
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("is_causal", [False, True])
def test_both_halves_are_the_same(space: dict[str, Any], mask: str, is_causal: bool) -> None:
    torch.manual_seed(3)
    q = torch.randn(2, 4, 6, 16, dtype=torch.float64)
    k, v = torch.randn(2, 4, 7, 16, dtype=torch.float64), torch.randn(2, 4, 7, 32, dtype=torch.float64)
    given = MASKS[mask]()
    if given is not None and given.dtype == torch.bool:
        given[:, 0] = True
    with torch.compiler.set_stance("force_eager"):
        fused = space["fused_capped_attention"](q, k, v, given, 5.0, 0.3, is_causal)
    torch.testing.assert_close(fused, space["capped_attention"](q, k, v, given, 5.0, 0.3, is_causal))


def test_what_the_kernel_does_not_take_is_written_out(space: dict[str, Any]) -> None:
    q, k, v = (torch.randn(1, 2, 3, 16) for _ in range(3))
    assert not space["capped_attention_fits"](q, k, v, None)
    expected = (5 * torch.tanh(q @ k.mT * 0.3)).softmax(-1) @ v
    torch.testing.assert_close(space["capped_attention"](q, k, v, None, 5.0, 0.3), expected)
