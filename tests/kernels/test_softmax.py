"""Softmax's kernel against fp64: rows longer than a block, soft caps, infinities."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DTYPES, hold, normal, torch

from outpace_kernels.softmax import fused_softmax, softmax, softmax_fits, softmax_reference


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("softcap", [0.0, 20.0])
@pytest.mark.parametrize("shape", [(1, 1), (3, 2, 37), (2, 1000), (2, 16390)], ids=str)
def test_values_and_gradients(shape: tuple[int, ...], softcap: float, dtype: Any) -> None:
    x = normal(*shape, dtype=dtype, scale=4)
    hold(lambda x: fused_softmax(x, softcap), lambda x: softmax_reference(x, softcap), [x], [0])


def test_small_scores_under_a_cap_lose_no_digits() -> None:
    x = normal(4, 64, dtype=torch.float32, scale=2.0**-10)
    ours, truth = fused_softmax(x, 50.0), softmax_reference(x.double(), 50.0)
    assert float((ours.double() - truth).abs().max()) < 4e-9


@pytest.mark.parametrize("width", [50, 16500])
def test_masked_rows_and_values_without_a_number(width: int) -> None:
    x = normal(5, width, dtype=torch.float32)
    x[0, : width - 2] = -float("inf")
    x[1] = -float("inf")
    x[2, 7] = float("inf")
    x[3, 1] = float("nan")
    torch.testing.assert_close(fused_softmax(x), softmax_reference(x), equal_nan=True)


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    x = torch.randn(3, 8, dtype=torch.float64)
    assert not softmax_fits(x)
    assert torch.equal(softmax(x, 5.0), softmax_reference(x, 5.0))


def test_a_second_derivative_is_refused() -> None:
    x = normal(3, 16, dtype=torch.float32).requires_grad_()
    with pytest.raises(NotImplementedError, match="second derivative"):
        torch.autograd.grad(fused_softmax(x).sum(), x, create_graph=True)
