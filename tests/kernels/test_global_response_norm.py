"""Global response normalisation alone and absorbed, against fp64: gains and biases that count, odd shapes, strides."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DTYPES, PRODUCT_DTYPE, PRODUCT_DTYPES, hold, normal, results, torch

from outpace_kernels.global_response_norm import (
    fused_global_response_norm,
    global_response_norm,
    global_response_norm_fits,
    global_response_norm_reference,
)
from outpace_kernels.global_response_norm_linear import (
    fused_global_response_norm_linear,
    global_response_norm_linear,
    global_response_norm_linear_fits,
    global_response_norm_linear_reference,
)


def inputs(batch: int, length: int, channels: int, dtype: Any, outs: int = 0) -> list[Any]:
    scales = torch.linspace(0.2, 3, channels, device=normal(1, dtype=dtype).device).to(dtype)
    tensors = [normal(batch, length, channels, dtype=dtype) * scales]
    tensors += [normal(channels, dtype=dtype, seed=seed) for seed in (1, 2)]
    linear = [normal(outs, channels, dtype=dtype, seed=3, scale=channels**-0.5), normal(outs, dtype=dtype, seed=4)]
    return [*tensors, *(linear if outs else [])]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(1, 1, 2), (3, 5, 33), (2, 300, 20), (1, 700, 130)], ids=str)
def test_values_and_gradients(shape: tuple[int, int, int], dtype: Any) -> None:
    hold(fused_global_response_norm, global_response_norm_reference, inputs(*shape, dtype), [0, 1, 2])


@pytest.mark.parametrize("dtype", PRODUCT_DTYPES, ids=str)
@pytest.mark.parametrize("sizes", [(1, 2, 2, 1), (3, 30, 33, 5), (2, 300, 20, 140), (1, 140, 130, 8)], ids=str)
def test_absorbed(sizes: tuple[int, int, int, int], dtype: Any) -> None:
    batch, length, channels, outs = sizes
    tensors = inputs(batch, length, channels, dtype, outs)
    hold(fused_global_response_norm_linear, global_response_norm_linear_reference, tensors, [0, 1, 2, 3, 4])


def test_a_channel_of_zeros_has_a_gradient_of_zero_radius() -> None:
    x, gain, bias = inputs(2, 6, 5, torch.float32)
    x[:, :, 3] = 0
    hold(fused_global_response_norm, global_response_norm_reference, [x, gain, bias], [1, 2])
    ours, expected = (
        results(function, [x, gain, bias], [0])[1]
        for function in (fused_global_response_norm, global_response_norm_reference)
    )
    torch.testing.assert_close(ours, expected)


def test_slices_are_read_in_place_and_other_strides_are_copied() -> None:
    x, gain, bias = inputs(2, 9, 24, torch.float32)
    for cut, few in ((x[..., 8:16], slice(8, 16)), (x[..., ::3], slice(0, 8)), (x[:, ::2], slice(None))):
        hold(fused_global_response_norm, global_response_norm_reference, [cut, gain[few], bias[few]], [0, 1, 2])


def test_the_same_call_gives_the_same_bits() -> None:
    tensors = inputs(2, 300, 20, PRODUCT_DTYPE, 8)
    one, two = (results(fused_global_response_norm_linear, tensors, [0, 1, 2, 3, 4]) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    tensors = [one.cpu() for one in inputs(2, 9, 6, torch.float32, 4)]
    assert not global_response_norm_fits(*tensors[:3]) and not global_response_norm_linear_fits(*tensors)
    assert torch.equal(global_response_norm(*tensors[:3]), global_response_norm_reference(*tensors[:3]))
    assert torch.equal(global_response_norm_linear(*tensors), global_response_norm_linear_reference(*tensors))


@pytest.mark.gpu
def test_it_is_absorbed_only_where_positions_are_many() -> None:
    for length, fits in ((64, True), (63, False)):
        assert global_response_norm_linear_fits(*inputs(2, length, 6, torch.bfloat16, 8)) is fits


def test_a_second_derivative_is_refused() -> None:
    tensors = inputs(1, 4, 3, PRODUCT_DTYPE, 2)
    tensors[0].requires_grad_()
    for function, count in ((fused_global_response_norm, 3), (fused_global_response_norm_linear, 5)):
        with pytest.raises(NotImplementedError, match="second derivative"):
            torch.autograd.grad(function(*tensors[:count]).sum(), tensors[0], create_graph=True)
