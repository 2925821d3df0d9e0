"""The FP8 ReLU-squared MLP against its reference and against fp64, with and without the norm before it."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, error, normal, results, torch

from outpace_kernels.fp8_linear import fp8_rows
from outpace_kernels.fp8_mlp import FP8MLPFunction, fp8_mlp, fp8_mlp_fits, fp8_mlp_reference, fused_fp8_mlp
from outpace_kernels.fp8_producers import activation_fp8, rms_norm_fp8

BF16 = torch.bfloat16
HOW = "persistent" if DEVICE == "cuda" else "library"
"""Triton's interpreter has no product of bf16 matrices."""
if DEVICE == "cuda" and torch.cuda.get_device_capability() < (8, 9):
    pytest.skip("no FP8 products before sm_89", allow_module_level=True)


def problem(rows: tuple[int, ...], width: int, hidden: int, out: int) -> list[Any]:
    w1, w2 = normal(hidden, width, dtype=BF16, seed=1, scale=0.2), normal(out, hidden, dtype=BF16, seed=2, scale=0.2)
    return [normal(*rows, width, dtype=BF16), w1, w2, 1 + normal(width, dtype=BF16, seed=3, scale=0.2)]


def ours(*tensors: Any, eps: float | None = 1e-6, quantized: str = "product") -> Any:
    return fused_fp8_mlp(*tensors, eps=eps, how=HOW, quantized=quantized)


def theirs(*tensors: Any, eps: float | None = 1e-6) -> Any:
    return fp8_mlp_reference(*tensors, eps=eps)


@pytest.mark.parametrize("sizes", [((1,), 16, 16, 16), ((3, 5), 48, 80, 32), ((130,), 64, 272, 64)], ids=str)
@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("quantized", ["product", "pass"])
def test_values_and_gradients(sizes: tuple[tuple[int, ...], int, int, int], norm: bool, quantized: str) -> None:
    """Near the reference's, where every thirtieth number has the next code, being rounded before it is quantised; by
    another scale all of post has other codes.
    """
    tensors = problem(*sizes)[: 4 if norm else 3]
    wanted = list(range(len(tensors)))
    eps = 1e-6 if norm else None
    made = results(lambda *t: ours(*t, eps=eps, quantized=quantized), tensors, wanted)
    expected = results(lambda *t: theirs(*t, eps=eps), tensors, wanted)
    for place, (one, other) in enumerate(zip(made, expected, strict=True)):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        apart = float((one.double() - other.double()).norm() / other.double().norm())
        assert apart < (0.04 if quantized == "pass" else 0.06), (place, apart)


def test_values_are_those_of_the_codes() -> None:
    x, w1, w2, gain = problem((33,), 64, 272, 48)
    rows, one, two = (dequantized(codes) for codes in (rms_norm_fp8(x, gain, 1e-6), fp8_rows(w1), fp8_rows(w2)))  # type: ignore[arg-type]
    post = activation_fp8((rows @ one.t()).to(BF16))
    exact = dequantized(post) @ two.t()
    assert error(ours(x, w1, w2, gain, quantized="pass"), exact) <= 2.0**-7 * float(exact.abs().max())


@pytest.mark.parametrize("sizes", [((1,), 16, 16), ((300,), 272, 528)], ids=str)
@pytest.mark.parametrize("eps", [1e-6, None])
def test_codes_from_the_product_are_within_the_error_of_the_format(sizes: Any, eps: float | None) -> None:
    x, w1, _, gain = problem(*sizes, 16)
    made, squares = FP8MLPFunction.rows(x, gain, eps, True, None)
    kept, (codes, scales) = FP8MLPFunction.by_product(made, w1, squares, True)
    exact = torch.relu(dequantized(made) @ dequantized(fp8_rows(w1)).t()).square()
    assert error(kept, exact) <= 2.0**-7 * float(exact.abs().max())
    apart = (dequantized((codes, scales)) - exact).abs()
    assert bool((apart <= torch.maximum(exact * 2.0**-4, scales.double() * 2.0**-10) * 1.01 + 1e-30).all())
    assert bool((codes.float() < 448).all())


def test_the_bound_costs_no_precision_that_decides() -> None:
    x, w1, w2, gain = problem((64,), 1024, 2048, 128)
    rows = x.double() * torch.rsqrt(x.double().pow(2).mean(-1, keepdim=True) + 1e-6) * gain.double()
    exact = torch.relu(rows @ w1.double().t()).square() @ w2.double().t()
    product, own = (
        float((ours(x, w1, w2, gain, quantized=one).double() - exact).norm() / exact.norm())
        for one in ("product", "pass")
    )
    assert product < 1.05 * own, (product, own)


def dequantized(quantized: Any) -> Any:
    codes, scales = quantized
    return codes.double() * scales.double()


@pytest.mark.parametrize("wanted", [[], [0], [1], [2], [3]])
def test_only_the_gradients_that_are_wanted(wanted: list[int]) -> None:
    tensors = problem((6,), 32, 48, 16)
    every = results(ours, tensors, [0, 1, 2, 3])
    made = results(ours, tensors, wanted)
    assert torch.equal(made[0], every[0])
    for place, one in zip(wanted, made[1:], strict=True):
        assert error(one, every[1 + place].double()) == 0


def test_nothing_is_kept_without_gradients_and_one_activation_with() -> None:
    tensors = problem((6,), 32, 48, 16)
    kept: list[Any] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda item: kept.append(item) or item, lambda item: item):
        ours(*[item.requires_grad_() for item in tensors])
    assert sum(item.shape == (6, 48) for item in kept) == 1 and len(kept) == 7


def test_error_against_fp64_is_what_the_page_says() -> None:
    x, w1, w2, gain = problem((256,), 256, 1024, 256)
    rows = x.double() * torch.rsqrt(x.double().pow(2).mean(-1, keepdim=True) + 1e-6) * gain.double()
    exact = torch.relu(rows @ w1.double().t()).square() @ w2.double().t()
    apart = float((ours(x, w1, w2, gain).double() - exact).norm() / exact.norm())
    assert 0.03 < apart < 0.08


def test_another_place_is_refused() -> None:
    with pytest.raises(ValueError, match="quantized='tile' is neither product nor pass"):
        ours(*problem((6,), 32, 48, 16), quantized="tile")


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    x, w1, w2 = (one.float() for one in problem((6,), 32, 48, 16)[:3])
    assert not fp8_mlp_fits(x, w1, w2)
    assert torch.equal(fp8_mlp(x, w1, w2), fp8_mlp_reference(x, w1, w2))


@pytest.mark.gpu
def test_fits_on_the_gpu() -> None:
    x, w1, w2, gain = problem((64,), 256, 1024, 256)
    assert fp8_mlp_fits(x, w1, w2) and not fp8_mlp_fits(x, w1, w2[:, :512])
    assert torch.equal(fp8_mlp(x, w1, w2, gain, 1e-6), fused_fp8_mlp(x, w1, w2, gain, 1e-6))
