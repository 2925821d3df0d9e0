"""Norms and activations that give e4m3: codes within the format's error of fp64, and the layers after them."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, error, normal, results, torch

from outpace_kernels.fp8_linear import fp8_rows
from outpace_kernels.fp8_producers import (
    activation_fp8,
    fp8_glu_linear,
    fp8_glu_linear_reference,
    fp8_norm_linear,
    fp8_norm_linear_reference,
    norm_kept,
    rms_norm_fp8,
)
from outpace_kernels.rms_norm import rms_norm_reference

BF16 = torch.bfloat16
SHAPES = [(1, 16), (3, 77), (5, 768), (2, 4097), (1, 16384)]
if DEVICE == "cuda" and torch.cuda.get_device_capability() < (8, 9):
    pytest.skip("no FP8 products before sm_89", allow_module_level=True)


def hold_codes(quantized: tuple[Any, Any], exact: Any) -> None:
    """Within half a step of e4m3 of the exact rows, by the scale that these have."""
    codes, scales = quantized
    step = exact.abs().amax(-1, keepdim=True) / 448
    assert codes.dtype is torch.float8_e4m3fn and scales.shape == (len(exact), 1)
    torch.testing.assert_close(scales.double(), step, rtol=1e-5, atol=0)
    apart = (codes.double() * scales.double() - exact).abs()
    assert bool((apart <= torch.maximum(exact.abs() * 2.0**-4, step * 2.0**-10) * 1.001).all())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, BF16], ids=str)
def test_norm(shape: tuple[int, int], dtype: Any) -> None:
    x, gain = normal(*shape, dtype=dtype), 1 + normal(shape[1], dtype=dtype, seed=1, scale=0.2)
    wide = x.double() * torch.rsqrt(x.double().pow(2).mean(-1, keepdim=True) + 1e-6)
    hold_codes(rms_norm_fp8(x, gain, 1e-6), wide * gain.double())
    hold_codes(rms_norm_fp8(x, None, 1e-6), wide)


def test_norm_with_residual() -> None:
    x, residual = normal(6, 200, dtype=BF16), normal(6, 200, dtype=BF16, seed=1)
    codes, scales, total = rms_norm_fp8(x, None, 1e-6, residual)  # type: ignore[misc]
    assert error(total, (x + residual).double()) <= 2.0**-7 * float(total.abs().max())
    wide = total.double()
    hold_codes((codes, scales), wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, BF16], ids=str)
def test_activations(shape: tuple[int, int], dtype: Any) -> None:
    gate, up = normal(*shape, dtype=dtype), normal(*shape, dtype=dtype, seed=1)
    wide = gate.double()
    hold_codes(activation_fp8(gate, up), torch.nn.functional.silu(wide) * up.double())
    hold_codes(activation_fp8(gate, gate), torch.nn.functional.silu(wide) * wide)
    gate[0, 0] = 1.0  # a row without a positive number has no scale to compare
    squared = torch.relu(gate.double()).square().clamp_min(0)
    rows = squared.amax(-1) > 0
    codes, scales = activation_fp8(gate)
    hold_codes((codes[rows], scales[rows]), squared[rows])


def test_activation_kept_in_the_place_of_its_input() -> None:
    pre = normal(4, 96, dtype=BF16)
    expected = torch.relu(pre.double()).square()
    apart = activation_fp8(pre.clone())
    codes, scales = activation_fp8(pre, kept=pre)
    assert torch.equal(codes.view(torch.uint8), apart[0].view(torch.uint8)) and torch.equal(scales, apart[1])
    assert error(pre, expected) <= 2.0**-8 * float(expected.max())


def test_halves_of_one_tensor() -> None:
    both = normal(5, 2 * 48, dtype=BF16)
    gate, up = both.chunk(2, -1)
    hold_codes(activation_fp8(gate, up), torch.nn.functional.silu(gate.double()) * up.double())


def test_what_is_no_number_stays_in_its_row() -> None:
    x = normal(4, 100, dtype=torch.float32)
    x[1, 3], x[2, 99] = float("nan"), float("inf")
    for codes, scales in (rms_norm_fp8(x, None, 1e-6), activation_fp8(x), activation_fp8(x, x)):  # type: ignore[misc]
        rows = codes.float() * scales
        assert bool(rows[1:3].isnan().any(-1).all()) and bool(rows[[0, 3]].isfinite().all())


def product(rows: tuple[Any, Any], weight: Any) -> Any:
    """Of dequantised rows with the dequantised weight, in fp64."""
    one, other = (codes.double() * scales.double() for codes, scales in (rows, fp8_rows(weight)))
    return one @ other.t()


def hold_layer(ours: Any, reference: Any, tensors: list[Any], wanted: list[int], exact: Any) -> None:
    """Values to bf16's rounding of what the codes say; and near the reference's, whose rows are rounded first, which
    gives every thirtieth number the next code. Gradients to a few roundings of the reference's.
    """
    made, expected = (results(function, tensors, wanted) for function in (ours, reference))
    assert error(made[0].reshape(exact.shape), exact) <= 2.0**-8 * float(exact.abs().max())
    assert float((made[0].double() - expected[0].double()).norm() / expected[0].double().norm()) < 0.03
    for one, other in zip(made[1:], expected[1:], strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        assert error(one, other.double()) <= 0.02 * float(other.abs().max())


@pytest.mark.parametrize("bias", [True, False])
def test_norm_and_linear(bias: bool) -> None:
    x, gain = normal(3, 5, 64, dtype=BF16), 1 + normal(64, dtype=BF16, seed=1, scale=0.2)
    weight, more = normal(48, 64, dtype=BF16, seed=2, scale=0.1), normal(48, dtype=BF16, seed=3) if bias else None
    exact = product(rms_norm_fp8(x, gain, 1e-6), weight)  # type: ignore[arg-type]
    hold_layer(
        lambda *tensors: fp8_norm_linear(*tensors, 1e-6),
        lambda *tensors: fp8_norm_linear_reference(*tensors, 1e-6),
        [x, gain, weight, more],
        [0, 1, 2, 3] if bias else [0, 1, 2],
        exact if more is None else exact + more.double(),
    )


def test_gated_unit_and_linear() -> None:
    gate, up = (normal(3, 5, 96, dtype=BF16, seed=seed) for seed in range(2))
    weight = normal(32, 96, dtype=BF16, seed=2, scale=0.1)
    exact = product(activation_fp8(gate.view(15, 96), up.view(15, 96)), weight)
    for wanted in ([0, 1, 2], [1], []):
        hold_layer(fp8_glu_linear, fp8_glu_linear_reference, [gate, up, weight], wanted, exact)


def test_what_backward_needs_is_kept_and_nothing_without_gradients() -> None:
    x, gain, weight = normal(8, 64, dtype=BF16), normal(64, dtype=BF16, seed=1), normal(48, 64, dtype=BF16, seed=2)
    kept: list[Any] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda item: kept.append(item) or item, lambda item: item):
        expected = fp8_norm_linear(x, gain, weight, None, 1e-6)
        assert not kept
        y = fp8_norm_linear(x.requires_grad_(), gain.requires_grad_(), weight.requires_grad_(), None, 1e-6)
    assert torch.equal(y, expected)
    assert sorted(tuple(item.shape) for item in kept) == [(8,), (8, 64), (8, 64), (48, 64), (64,)]


def test_the_rows_that_are_kept() -> None:
    x, gain = normal(8, 64, dtype=BF16), normal(64, dtype=BF16, seed=1)
    rows, inverse = norm_kept(x)
    rms_norm_fp8(x, gain, 1e-6, kept=(rows, inverse))
    exact = torch.rsqrt(x.double().pow(2).mean(-1) + 1e-6)
    torch.testing.assert_close(inverse.double(), exact, rtol=1e-5, atol=0)
    wide = x.double() * exact[:, None] * gain.double()
    assert error(rows, wide) <= 2.0**-7 * float(wide.abs().max())


@pytest.mark.parametrize("wanted", [[0], [1], [2], [3]])
def test_only_the_gradients_that_are_wanted(wanted: list[int]) -> None:
    x, gain, weight = normal(8, 64, dtype=BF16), normal(64, dtype=BF16, seed=1), normal(48, 64, dtype=BF16, seed=2)
    tensors = [x, gain, weight, normal(48, dtype=BF16, seed=3)]
    every, one = (results(lambda *t: fp8_norm_linear(*t, 1e-6), tensors, which) for which in ([0, 1, 2, 3], wanted))
    assert torch.equal(one[1], every[1 + wanted[0]])


def test_a_second_derivative_is_refused() -> None:
    gate = normal(3, 16, dtype=BF16).requires_grad_()
    with pytest.raises(NotImplementedError, match="second derivative"):
        y = fp8_glu_linear(gate, gate.detach(), normal(16, 16, dtype=BF16))
        torch.autograd.grad(y.sum(), gate, create_graph=True)


def test_reference_is_the_norm_then_the_layer() -> None:
    x, gain, weight = normal(8, 64, dtype=BF16), normal(64, dtype=BF16, seed=1), normal(48, 64, dtype=BF16, seed=2)
    exact = rms_norm_reference(x.double().float(), gain.float(), 1e-6).double() @ weight.double().t()  # type: ignore[union-attr]
    y = fp8_norm_linear_reference(x, gain, weight, None, 1e-6)
    assert float((y.double() - exact).norm() / exact.norm()) < 0.05
