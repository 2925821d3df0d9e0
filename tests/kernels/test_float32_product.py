"""Products of fp32 in parts of 8 bits against fp64: odd shapes, batches, strides, gradients, infinities."""

from __future__ import annotations

from functools import partial

import pytest
from against_fp64 import DEVICE, hold, normal, torch

from outpace_kernels import float32_product as module
from outpace_kernels.float32_product import (
    float32_linear,
    float32_product,
    float32_product_fits,
    float32_product_forward,
    float32_product_reference,
    fused_float32_product,
)


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything fits. Triton's interpreter has no product of bf16 matrices: there the parts are of fp16."""
    monkeypatch.setattr(module, "float32_product_fits", lambda a, b: True)
    if DEVICE == "cpu":
        monkeypatch.setattr(module, "float32_product_forward", partial(float32_product_forward, short=True))


SIZES = [((5, 8), (8, 6)), ((65, 33), (33, 130)), ((2, 3, 9, 40), (40, 17)), ((2, 3, 9, 40), (2, 3, 40, 17))]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_values_and_gradients(sizes: tuple[tuple[int, ...], ...], everything: None) -> None:
    a, b = (normal(*size, dtype=torch.float32, seed=at) for at, size in enumerate(sizes))
    hold(fused_float32_product, float32_product_reference, [a, b], [0, 1])
    hold(fused_float32_product, float32_product_reference, [a, b.mT.contiguous().mT], [0, 1])
    if a.dim() == 2:
        hold(fused_float32_product, float32_product_reference, [a.t().contiguous().t(), b], [0, 1])


@pytest.mark.gpu
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_with_a_factor_of_bf16(sizes: tuple[tuple[int, ...], ...], everything: None) -> None:
    a, b = (normal(*size, dtype=torch.float32, seed=at) for at, size in enumerate(sizes))
    hold(fused_float32_product, float32_product_reference, [a, b.bfloat16()], [0, 1])
    hold(fused_float32_product, float32_product_reference, [a.bfloat16(), b], [0, 1])


def test_a_linear_layer_that_does_not_fit_is_one_operation() -> None:
    x, weight, bias = (normal(*size, dtype=torch.float32) for size in ((2, 9, 40), (17, 40), (17,)))
    assert torch.equal(float32_linear(x, weight, bias), torch.nn.functional.linear(x, weight, bias))


def test_a_linear_layer(everything: None) -> None:
    x, weight = normal(2, 9, 40, dtype=torch.float32), normal(17, 40, dtype=torch.float32, seed=1)
    bias = normal(17, dtype=torch.float32, seed=2)
    hold(float32_linear, torch.nn.functional.linear, [x, weight, bias], [0, 1, 2])
    hold(float32_linear, torch.nn.functional.linear, [x, weight], [0, 1])


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    small, large = normal(5, 8, dtype=torch.float32), normal(2048, 512, dtype=torch.float32)
    assert not float32_product_fits(small, small.mT)
    assert not float32_product_fits(large.bfloat16(), large.bfloat16().mT)
    assert not float32_product_fits(large[0], large.mT)
    assert torch.equal(float32_product(small, small.mT), small @ small.mT)
    assert torch.equal(float32_product(small.bfloat16(), small.mT), small.bfloat16().float() @ small.mT)


@pytest.mark.gpu
def test_vectors_and_other_batches_do_not_fit() -> None:
    large = normal(2048, 1024, dtype=torch.float32)
    for a, b in ((large[0], large.mT), (large, large[0]), (large[None], large.mT[None, None]), (large, large)):
        assert not float32_product_fits(a, b)


@pytest.mark.gpu
def test_only_where_fp32_is_asked_for() -> None:
    large = normal(2048, 512, dtype=torch.float32)
    hopper = torch.cuda.get_device_capability()[0] == 9
    assert float32_product_fits(large, large.mT) is hopper
    with torch.autocast("cuda", torch.bfloat16):
        assert not float32_product_fits(large, large.mT)
    torch.set_float32_matmul_precision("high")
    try:
        assert not float32_product_fits(large, large.mT)
    finally:
        torch.set_float32_matmul_precision("highest")


@pytest.mark.gpu
@pytest.mark.parametrize("sizes", [((1024, 4096), (4096, 1536)), ((8, 512, 768), (8, 768, 512))], ids=str)
@pytest.mark.parametrize("narrow", [(), (0,), (1,)], ids=str)
def test_as_exact_as_fp32(sizes: tuple[tuple[int, ...], ...], narrow: tuple[int, ...]) -> None:
    kinds = [torch.bfloat16 if at in narrow else torch.float32 for at in range(2)]
    a, b = (normal(*size, dtype=kinds[at], seed=at) for at, size in enumerate(sizes))
    truth = a.double() @ b.double()
    ours, theirs = ((value - truth).abs().max() for value in (float32_product_forward(a, b), a.float() @ b.float()))
    assert float(ours) <= 2 * float(theirs)


@pytest.mark.gpu
def test_infinities_and_nan_are_where_they_were() -> None:
    a, b = normal(64, 128, dtype=torch.float32), normal(128, 64, dtype=torch.float32, seed=1)
    a[0] = 1.0
    a[2, 3], a[3, 1], b[0, 1], b[1, 2] = float("inf"), float("nan"), float("inf"), float("-inf")
    torch.testing.assert_close(float32_product_forward(a, b), a @ b, equal_nan=True)
    assert DEVICE == "cuda"
