"""LayerNorm's kernel against fp64."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, DTYPES, hold, normal, torch

from outpace_kernels.layer_norm import fused_layer_norm, layer_norm, layer_norm_fits, layer_norm_reference


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(1, 2), (3, 7), (2, 3, 129), (1, 2049), (17, 768)], ids=str)
def test_values_and_gradients(shape: tuple[int, ...], dtype: Any) -> None:
    x = normal(*shape, dtype=dtype) + 3
    weight, bias = 1 + normal(shape[-1], dtype=dtype, seed=1, scale=0.2), normal(shape[-1], dtype=dtype, seed=2)
    hold(
        lambda x, w, b: fused_layer_norm(x, w, b, 1e-5),
        lambda x, w, b: layer_norm_reference(x, w, b, 1e-5),
        [x, weight, bias],
        [0, 1, 2],
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_with_residual_and_without_gain_or_bias(dtype: Any) -> None:
    x, residual = normal(6, 200, dtype=dtype), normal(6, 200, dtype=dtype, seed=1)
    weight = 1 + normal(200, dtype=dtype, seed=2, scale=0.2)

    def ours(x: Any, w: Any, b: Any, r: Any) -> Any:
        return fused_layer_norm(x, w, b, 1e-5, r)

    def reference(x: Any, w: Any, b: Any, r: Any) -> Any:
        return layer_norm_reference(x, w, b, 1e-5, r)

    hold(ours, reference, [x, weight, None, residual], [0, 1, 3])
    hold(ours, reference, [x, None, weight, residual], [0, 2, 3])
    hold(ours, reference, [x, None, None, None], [0])


def test_a_large_offset_does_not_cancel() -> None:
    x = normal(4, 512, dtype=torch.float32) + 1000
    hold(lambda x: fused_layer_norm(x, None, None, 1e-5), lambda x: layer_norm_reference(x, None, None, 1e-5), [x], [0])


def test_what_is_no_number_stays_in_its_row() -> None:
    x = normal(4, 100, dtype=torch.float32)
    x[1, 3], x[2, 99] = float("nan"), float("inf")
    ours, expected = fused_layer_norm(x, None, None, 1e-6), layer_norm_reference(x, None, None, 1e-6)
    assert torch.equal(ours.isnan(), expected.isnan())


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    x = torch.randn(3, 8, dtype=torch.float64)
    assert not layer_norm_fits(x, None, None)
    assert torch.equal(layer_norm(x, None, None, 1e-6), layer_norm_reference(x, None, None, 1e-6))
    assert not layer_norm_fits(torch.randn(2, 40000, device=DEVICE), None, None)


def test_a_second_derivative_is_refused() -> None:
    x = normal(3, 16, dtype=torch.float32).requires_grad_()
    with pytest.raises(NotImplementedError, match="second derivative"):
        torch.autograd.grad(fused_layer_norm(x, None, None, 1e-6).sum(), x, create_graph=True)
