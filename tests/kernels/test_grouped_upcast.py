"""Linear layers of experts in fp32 with narrower weights, against fp64."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, hold, normal, torch

from outpace_kernels.grouped_upcast import (
    fused_grouped_upcast,
    grouped_upcast,
    grouped_upcast_fits,
    grouped_upcast_reference,
)

HALF, BF16, FP32 = torch.float16, torch.bfloat16, torch.float32
PAIRS = [(HALF, HALF), (BF16, BF16), (FP32, BF16)] if DEVICE == "cuda" else [(HALF, HALF)]
"""Of rows and weight. Triton's interpreter has no product of bf16 matrices."""


def problem(counts: list[int], width: int, out: int, kinds: tuple[Any, Any], rest: int = 0) -> list[Any]:
    ends = torch.tensor(counts, device=DEVICE).cumsum(0)
    x = normal(sum(counts) + rest, width, dtype=kinds[0])
    return [x, normal(len(counts), out, width, dtype=kinds[1], seed=1, scale=width**-0.5), ends]


@pytest.mark.parametrize("kinds", PAIRS, ids=str)
@pytest.mark.parametrize(
    ("counts", "width", "out", "rest"), [([1], 8, 8, 0), ([3, 0, 130, 1, 0], 24, 40, 2), ([0, 64, 65], 136, 264, 0)]
)
def test_values(counts: list[int], width: int, out: int, rest: int, kinds: tuple[Any, Any]) -> None:
    hold(fused_grouped_upcast, grouped_upcast_reference, problem(counts, width, out, kinds, rest))


@pytest.mark.gpu
def test_what_is_infinite_stays_so() -> None:
    x, weight, ends = problem([5, 70], 24, 40, (FP32, BF16))
    x[3, 5], x[20, 7] = float("inf"), float("nan")
    found, expected = fused_grouped_upcast(x, weight, ends), grouped_upcast_reference(x, weight, ends)
    torch.testing.assert_close(found, expected, equal_nan=True, atol=1e-5, rtol=1e-5)


@pytest.mark.gpu
def test_rows_and_weights_that_lie_otherwise() -> None:
    x, weight, ends = problem([5, 70], 24, 40, (FP32, BF16))
    x, weight = x.t().contiguous().t(), weight.mT.contiguous().mT
    torch.testing.assert_close(
        fused_grouped_upcast(x, weight, ends), grouped_upcast_reference(x, weight, ends), atol=1e-5, rtol=1e-5
    )


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    x, weight, ends = (one.cpu() for one in problem([5, 0, 9], 6, 4, (FP32, BF16), 2))
    assert not grouped_upcast_fits(x, weight, ends)
    found = grouped_upcast(x, weight, ends)
    assert found.dtype is FP32 and found.shape == (16, 4)
    assert torch.equal(found[:5], x[:5] @ weight[0].float().t()) and not found[14:].any()


@pytest.mark.gpu
def test_where_a_gradient_is_wanted_it_is_computed_as_written() -> None:
    x, weight, ends = problem([5, 9], 24, 40, (FP32, BF16))
    assert grouped_upcast_fits(x, weight, ends)
    weight.requires_grad_()
    assert not grouped_upcast_fits(x, weight, ends)
    assert torch.autograd.grad(grouped_upcast(x, weight, ends).sum(), weight)[0].dtype is BF16
