"""The causal convolution's kernel against fp64: taps, odd shapes, bias, SiLU, strides."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DTYPES, hold, normal, results, torch

from outpace_kernels.causal_conv import causal_conv, causal_conv_fits, causal_conv_reference, fused_causal_conv


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("silu", [False, True])
@pytest.mark.parametrize("sizes", [(1, 1, 1, 2), (2, 5, 7, 4), (1, 40, 65, 3), (2, 12, 64, 8), (1, 75, 3, 4)], ids=str)
def test_values_and_gradients(sizes: tuple[int, ...], silu: bool, dtype: Any) -> None:
    batch, length, channels, taps = sizes
    x, weight = normal(batch, length, channels, dtype=dtype), normal(channels, taps, dtype=dtype, seed=1)
    bias = normal(channels, dtype=dtype, seed=2)
    for tensors, wanted in (([x, weight, bias], [0, 1, 2]), ([x, weight, None], [0, 1])):
        hold(
            lambda x, w, b: fused_causal_conv(x, w, b, silu),
            lambda x, w, b: causal_conv_reference(x, w, b, silu),
            tensors,
            wanted,
        )


def test_a_slice_of_wider_rows_is_read_in_place_and_others_are_copied() -> None:
    wide = normal(2, 9, 24, dtype=torch.float32)
    weight = normal(8, 4, dtype=torch.float32, seed=1)
    for x in (wide[..., 8:16], wide[..., ::3], wide[:, :8, :9].transpose(1, 2)[..., :8]):
        hold(fused_causal_conv, causal_conv_reference, [x, weight], [0, 1])


def test_no_position_sees_a_later_one() -> None:
    x, weight = normal(1, 40, 4, dtype=torch.float32), normal(4, 4, dtype=torch.float32, seed=1)
    changed = x.clone()
    changed[:, 20:] += 1
    one, two = fused_causal_conv(x, weight), fused_causal_conv(changed, weight)
    assert torch.equal(one[:, :20], two[:, :20]) and not torch.equal(one[:, 20], two[:, 20])


def test_the_same_call_gives_the_same_bits() -> None:
    tensors = [normal(3, 100, 20, dtype=torch.bfloat16), normal(20, 4, dtype=torch.bfloat16, seed=1)]
    one, two = (results(fused_causal_conv, tensors, [0, 1]) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    x, weight = torch.randn(2, 5, 4), torch.randn(4, 3)
    assert not causal_conv_fits(x, weight, None)
    assert torch.equal(causal_conv(x, weight), causal_conv_reference(x, weight))


@pytest.mark.gpu
def test_under_autocast_only_rows_of_its_dtype_fit() -> None:
    for dtype, fits in ((torch.bfloat16, True), (torch.float32, False), (torch.float16, False)):
        x, weight = normal(2, 5, 4, dtype=dtype), normal(4, 3, dtype=dtype, seed=1)
        with torch.autocast("cuda", torch.bfloat16):
            assert causal_conv_fits(x, weight, None) is fits
            assert causal_conv(x, weight).dtype is causal_conv_reference(x, weight).dtype


def test_a_second_derivative_is_refused() -> None:
    x, weight = normal(1, 4, 3, dtype=torch.float32).requires_grad_(), normal(3, 2, dtype=torch.float32)
    with pytest.raises(NotImplementedError, match="second derivative"):
        torch.autograd.grad(fused_causal_conv(x, weight).sum(), x, create_graph=True)
