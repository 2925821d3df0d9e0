"""Gated units against fp64: odd shapes, dtypes, halves of one tensor, and values without a number."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DTYPES, hold, normal, torch

from outpace_kernels.glu import fused_glu, glu, glu_fits, glu_reference


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("activation", ["silu", "gelu", "gelu_tanh"])
@pytest.mark.parametrize("shape", [(1,), (3, 7), (2, 5, 1031), (4, 2048)], ids=str)
def test_values_and_gradients(shape: tuple[int, ...], activation: str, dtype: Any) -> None:
    gate, up = normal(*shape, dtype=dtype, scale=2), normal(*shape, dtype=dtype, seed=1)
    hold(
        lambda g, u: fused_glu(g, u, activation),
        lambda g, u: glu_reference(g, u, activation),
        [gate, up],
        [0, 1],
    )


def test_halves_of_one_tensor_and_other_strides() -> None:
    both = normal(3, 4, 2 * 37, dtype=torch.float32)
    for gate, up in (
        both.chunk(2, -1),
        (both[..., ::2], both[..., 1::2]),
        (both.transpose(0, 1), both.transpose(0, 1) * 2),
        (both[:1].expand(3, 4, 74), both),
    ):
        hold(lambda g, u: fused_glu(g, u, "silu"), glu_reference, [gate, up])
    hold(
        lambda x: fused_glu(*x.chunk(2, -1), "silu"),
        lambda x: glu_reference(*x.chunk(2, -1)),
        [both],
        [0],
    )


@pytest.mark.parametrize("activation", ["silu", "gelu", "gelu_tanh"])
def test_what_is_no_number(activation: str) -> None:
    gate = normal(40, dtype=torch.float32)
    gate[:6] = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0, 90.0, -90.0])
    up = torch.ones_like(gate)
    torch.testing.assert_close(
        fused_glu(gate, up, activation), glu_reference(gate, up, activation), equal_nan=True, atol=1e-5, rtol=1e-5
    )


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    x = torch.randn(3, 8, dtype=torch.float64)
    assert not glu_fits(x, x)
    assert torch.equal(glu(x, x), glu_reference(x, x))
    with pytest.raises(ValueError, match="'relu' is none of"):
        glu(x, x, "relu")


def test_a_second_derivative_is_refused() -> None:
    x = normal(3, 16, dtype=torch.float32).requires_grad_()
    with pytest.raises(NotImplementedError, match="second derivative"):
        torch.autograd.grad(fused_glu(x, x, "silu").sum(), x, create_graph=True)
