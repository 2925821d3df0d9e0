"""The FP8 linear layer: its codes to the bit, values against fp64 of the same codes, gradients against bf16's."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, error, hold, normal, torch

from outpace_kernels.fp8_linear import (
    FP8Linear,
    fp8_linear,
    fp8_linear_fits,
    fp8_linear_reference,
    fp8_rows,
    fused_fp8_linear,
)

BF16, E4M3 = torch.bfloat16, torch.float8_e4m3fn
if DEVICE == "cuda" and torch.cuda.get_device_capability() < (8, 9):
    pytest.skip("no FP8 products before sm_89", allow_module_level=True)


def problem(rows: tuple[int, ...], width: int, out: int, bias: bool = True) -> list[Any]:
    x = normal(*rows, width, dtype=BF16) * torch.logspace(-3, 3, width, device=DEVICE).to(BF16)
    w = normal(out, width, dtype=BF16, seed=1, scale=0.1)
    return [x, w, normal(out, dtype=BF16, seed=2) if bias else None]


def coded(rows: Any) -> tuple[Any, Any]:
    scale = (rows.float().abs().amax(-1, keepdim=True) * (1 / 448)).clamp_min(2.0**-120)
    return (rows.float() * (1 / scale)).clamp(-448, 448).to(E4M3), scale


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (5, 64), (17, 768), (3, 4097), (2, 16384)], ids=str)
def test_codes_and_scales_to_the_bit(shape: tuple[int, int]) -> None:
    x = normal(*shape, dtype=BF16, scale=3)
    for rows in (x, x.t().contiguous().t(), x * 1e-30, x.float() * 1e-38, x * 0, x.float()):
        (codes, scales), (expected, scale) = fp8_rows(rows), coded(rows)
        assert torch.equal(scales, scale)
        assert torch.equal(codes.view(torch.uint8), expected.view(torch.uint8))


def test_codes_are_within_the_error_of_the_format() -> None:
    x = normal(64, 512, dtype=BF16)
    codes, scales = fp8_rows(x)
    wide = x.double()
    most = wide.abs().amax(-1, keepdim=True) / 448
    apart = (codes.double() * scales.double() - wide).abs()
    assert bool((apart <= torch.maximum(wide.abs() * 2.0**-4, most * 2.0**-10) * 1.0001).all())
    assert bool((codes.float().abs().amax(-1) == 448).all())


@pytest.mark.parametrize("sizes", [((1,), 16, 16), ((3, 5), 48, 80), ((130,), 1040, 32), ((7,), 768, 304)], ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients(sizes: tuple[tuple[int, ...], int, int], bias: bool) -> None:
    hold(fused_fp8_linear, fp8_linear_reference, problem(*sizes, bias), [0, 1, 2] if bias else [0, 1])


@pytest.mark.parametrize("wanted", [[], [0], [1], [2]])
def test_only_the_gradients_that_are_wanted(wanted: list[int]) -> None:
    hold(fused_fp8_linear, fp8_linear_reference, problem((6,), 32, 48), wanted)


def test_gradients_are_those_without_fp8() -> None:
    x, w, b = (one.requires_grad_() for one in problem((6,), 32, 48))
    dy = normal(6, 48, dtype=BF16, seed=5)
    ours = torch.autograd.grad(fused_fp8_linear(x, w, b), [x, w], dy)
    plain = torch.autograd.grad(torch.nn.functional.linear(x, w, b), [x, w], dy)
    for one, other in zip(ours, plain, strict=True):
        assert error(one, other.double()) <= 2.0**-8 * float(other.abs().max())


def test_weights_in_fp32_as_under_autocast() -> None:
    x, w, b = problem((6,), 32, 48)
    wide = [one.float() + one.float().abs() * 2.0**-10 for one in (x, w, b)]
    leaves = [one.requires_grad_() for one in wide]
    y = fused_fp8_linear(*leaves)
    dy = normal(6, 48, dtype=BF16, seed=5)
    grads = torch.autograd.grad(y, leaves, dy)
    (a, a_scale), (c, c_scale) = coded(leaves[0].detach().to(BF16)), coded(leaves[1].detach())
    exact = (a.double() * a_scale) @ (c.double() * c_scale).t() + leaves[2].detach().to(BF16).double()
    assert y.dtype is BF16 and error(y.detach(), exact) <= 2.0**-8 * float(exact.abs().max())
    for one, leaf in zip(grads, leaves, strict=True):
        assert (one.dtype, one.shape) == (torch.float32, leaf.shape)
    wanted = dy.double().t() @ leaves[0].detach().double()
    assert error(grads[1], wanted) <= 2.0**-7 * float(wanted.abs().max())


def test_error_against_the_product_in_bf16_is_what_the_page_says() -> None:
    x, w = normal(256, 1024, dtype=BF16), normal(512, 1024, dtype=BF16, seed=1)
    exact = x.double() @ w.double().t()
    apart = float((fused_fp8_linear(x, w).double() - exact).norm() / exact.norm())
    assert 0.03 < apart < 0.045


def test_what_was_quantised_before_is_taken_as_it_is() -> None:
    x, w, b = problem((9,), 64, 32)
    expected = fused_fp8_linear(x, w, b)
    assert torch.equal(fused_fp8_linear(x, w, b, fp8_rows(x), fp8_rows(w)), expected)
    other = fused_fp8_linear(x, w, b, fp8_rows(x * 2))
    assert not torch.equal(other, expected)


def test_what_is_no_number_stays_in_its_row() -> None:
    x, w, _ = problem((5,), 32, 16)
    x[1, 3], x[2, 9] = float("nan"), float("inf")
    y = fused_fp8_linear(x, w)
    assert bool(y[1:3].isnan().all()) and bool(y[[0, 3, 4]].isfinite().all())


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    x, w, b = problem((9,), 64, 32)
    cases = [(x.float(), w.float(), b.float()), (x[:0], w, b), (x[:, :24], w[:, :24], b), (x, w[:8], b[:8])]
    for one in [*cases, (x, w.t().contiguous().t(), b), (x, w, b.float())]:
        assert not fp8_linear_fits(*one)
    for one in cases:
        assert torch.equal(fp8_linear(*one), fp8_linear_reference(*one))


def test_a_second_derivative_is_refused() -> None:
    x, w, _ = problem((3,), 16, 16)
    x.requires_grad_()
    with pytest.raises(NotImplementedError, match="second derivative"):
        torch.autograd.grad(fused_fp8_linear(x, w).sum(), x, create_graph=True)


@pytest.mark.gpu
def test_fits_on_the_gpu_and_captures_into_a_graph() -> None:
    tensors = problem((64,), 4096, 1024)
    assert fp8_linear_fits(*tensors)
    expected = fused_fp8_linear(*tensors)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = fused_fp8_linear(*tensors)
    graph.replay()
    assert torch.equal(captured, expected)


def test_a_layer_that_it_does_not_fit_is_a_plain_one() -> None:
    layer = FP8Linear(64, 1024, device=DEVICE)
    x = normal(5, 64, dtype=torch.float32)
    expected = torch.nn.functional.linear(x, layer.weight, layer.bias)
    assert torch.equal(layer(x), expected) and layer.state_dict().keys() == torch.nn.Linear(2, 2).state_dict().keys()


@pytest.mark.gpu
def test_a_layer_in_bf16_and_under_autocast() -> None:
    layer = FP8Linear(64, 1024, device=DEVICE)
    x = normal(5, 64, dtype=torch.float32)
    with torch.autocast("cuda", torch.bfloat16):
        assert torch.equal(layer(x), fused_fp8_linear(x, layer.weight, layer.bias))
        assert fp8_linear_fits(x, layer.weight, layer.bias)
    with torch.autocast("cuda", torch.float16):
        assert not fp8_linear_fits(x, layer.weight, layer.bias)
    layer, x = layer.to(BF16), x.to(BF16)
    assert torch.equal(layer(x), fused_fp8_linear(x, layer.weight, layer.bias))
    small = FP8Linear(64, 512, device=DEVICE, dtype=BF16)
    assert torch.equal(small(x), torch.nn.functional.linear(x, small.weight, small.bias))


@pytest.mark.gpu
def test_under_torch_compile() -> None:
    tensors = problem((64,), 512, 256)
    hold(torch.compile(fused_fp8_linear), fp8_linear_reference, tensors, [0, 1, 2])
