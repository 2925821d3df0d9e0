"""RMSNorm's kernel against fp64: odd shapes, dtypes, gain and residual, and what it leaves to the reference."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, DTYPES, hold, normal, results, torch

from outpace_kernels.rms_norm import fused_rms_norm, rms_norm, rms_norm_fits, rms_norm_reference

SHAPES = [(1, 2), (3, 7), (5, 64), (2, 3, 129), (1, 2049), (17, 768)]


def as_reference(x: Any, weight: Any, residual: Any = None) -> Any:
    """The reference upcasts to fp32: truth has to stay in fp64."""
    if x.dtype is not torch.float64:
        return rms_norm_reference(x, weight, 1e-6, residual=residual)
    total = x if residual is None else x + residual
    y = total * torch.rsqrt(total.pow(2).mean(-1, keepdim=True) + 1e-6)
    y = y if weight is None else y * weight
    return y if residual is None else (y, total)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_values_and_gradients(shape: tuple[int, ...], dtype: Any) -> None:
    x, weight = normal(*shape, dtype=dtype), 1 + normal(shape[-1], dtype=dtype, seed=1, scale=0.2)
    hold(lambda x, w: fused_rms_norm(x, w, 1e-6), as_reference, [x, weight], [0, 1])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_with_residual_and_without_gain(dtype: Any) -> None:
    x, residual = normal(6, 200, dtype=dtype), normal(6, 200, dtype=dtype, seed=1)
    weight = 1 + normal(200, dtype=dtype, seed=2, scale=0.2)
    hold(lambda x, w, r: fused_rms_norm(x, w, 1e-6, residual=r), as_reference, [x, weight, residual], [0, 1, 2])
    hold(lambda x, w: fused_rms_norm(x, w, 1e-6), as_reference, [x, None], [0])


def test_a_gain_of_fp32_widens_the_result() -> None:
    x, weight = normal(4, 48, dtype=torch.bfloat16), normal(48, dtype=torch.float32, seed=1)
    hold(lambda x, w: fused_rms_norm(x, w, 1e-6), as_reference, [x, weight], [0, 1])


def test_the_result_in_another_dtype() -> None:
    x, weight = normal(4, 48, dtype=torch.bfloat16), normal(48, dtype=torch.bfloat16, seed=1)
    assert fused_rms_norm(x, weight, 1e-6, torch.float32).dtype is torch.float32
    hold(
        lambda x, w: fused_rms_norm(x, w, 1e-6, torch.float32 if x.dtype is torch.bfloat16 else None),
        lambda x, w: as_reference(x.to(torch.promote_types(x.dtype, torch.float32)), w),
        [x, weight],
        [0, 1],
    )


def test_frozen_gain_and_strided_rows() -> None:
    x, weight = normal(8, 66, dtype=torch.float32)[:, ::2], normal(33, dtype=torch.float32, seed=1)
    hold(lambda x, w: fused_rms_norm(x, w, 1e-6), as_reference, [x, weight], [0])
    hold(lambda x, w: fused_rms_norm(x, w, 1e-6), as_reference, [x, weight], [1])


def test_what_is_no_number_stays_in_its_row() -> None:
    x = normal(4, 100, dtype=torch.float32)
    x[1, 3], x[2, 99] = float("nan"), float("inf")
    ours, expected = fused_rms_norm(x, None, 1e-6), rms_norm_reference(x, None, 1e-6)
    assert torch.equal(ours.isnan(), expected.isnan())
    assert not ours[[0, 3]].isnan().any() and ours[2, 99].isnan()


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    for x in (torch.randn(3, 8, dtype=torch.float64), torch.randn(0, 8), torch.randn(3, 8)):
        assert not rms_norm_fits(x, None)
        assert torch.equal(rms_norm(x, None, 1e-6), rms_norm_reference(x, None, 1e-6))
    assert not rms_norm_fits(torch.randn(2, 40000, device=DEVICE), None)
    assert not rms_norm_fits(torch.randn(2, 8, device=DEVICE), torch.randn(1, device=DEVICE))


def test_a_second_derivative_is_refused() -> None:
    x = normal(3, 16, dtype=torch.float32).requires_grad_()
    with pytest.raises(NotImplementedError, match="second derivative"):
        torch.autograd.grad(fused_rms_norm(x, None, 1e-6).sum(), x, create_graph=True)


def test_the_same_call_gives_the_same_bits() -> None:
    tensors = [normal(40, 96, dtype=torch.bfloat16), normal(96, dtype=torch.bfloat16, seed=1)]
    one, two = (results(lambda x, w: fused_rms_norm(x, w, 1e-6), tensors, [0, 1]) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.gpu
def test_fits_on_the_gpu_and_captures_into_a_graph() -> None:
    x, weight = normal(64, 4096, dtype=torch.bfloat16), normal(4096, dtype=torch.bfloat16)
    assert rms_norm_fits(x, weight)
    expected = fused_rms_norm(x, weight, 1e-6)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = fused_rms_norm(x, weight, 1e-6)
    graph.replay()
    assert torch.equal(captured, expected)


@pytest.mark.gpu
def test_more_elements_than_32_bits_count() -> None:
    x = torch.ones(2**20 + 3, 2048, dtype=torch.bfloat16, device="cuda")
    x[-1] = 2.0
    with torch.no_grad():
        y = fused_rms_norm(x, torch.arange(2048, device="cuda", dtype=torch.bfloat16), 0.0)
    assert torch.equal(y[-1], y[0]) and y[-1, 1] == 1


@pytest.mark.gpu
def test_under_torch_compile() -> None:
    x, weight = normal(64, 512, dtype=torch.bfloat16), 1 + normal(512, dtype=torch.bfloat16, scale=0.2)
    compiled = torch.compile(lambda x, w: fused_rms_norm(x * 1, w, 1e-6))
    ours = results(compiled, [x, weight], [0, 1])
    for one, two in zip(ours, results(lambda x, w: fused_rms_norm(x, w, 1e-6), [x, weight], [0, 1]), strict=True):
        torch.testing.assert_close(one, two)
