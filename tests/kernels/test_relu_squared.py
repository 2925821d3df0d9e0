"""The ReLU-squared MLP against fp64: odd sizes, and that one activation is all that it keeps."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, hold, normal, torch

from outpace_kernels.relu_squared import (
    fused_relu_squared,
    relu_squared,
    relu_squared_descriptors,
    relu_squared_fits,
    relu_squared_reference,
)

KIND = torch.bfloat16 if DEVICE == "cuda" else torch.float32
"""Triton's interpreter has no product of bf16 matrices."""


def problem(rows: tuple[int, ...], width: int, hidden: int, out: int) -> list[Any]:
    kind = KIND
    w1, w2 = normal(hidden, width, dtype=kind, seed=1, scale=0.2), normal(out, hidden, dtype=kind, seed=2, scale=0.2)
    return [normal(*rows, width, dtype=kind), w1, w2]


@pytest.mark.parametrize(
    "sizes", [((1,), 1, 1, 1), ((3, 5), 24, 40, 8), ((130,), 70, 300, 33), ((2, 129), 64, 257, 64)], ids=str
)
@pytest.mark.parametrize("how", ["persistent", "pointers", "library"])
def test_values_and_gradients(sizes: tuple[tuple[int, ...], int, int, int], how: str) -> None:
    hold(lambda *tensors: fused_relu_squared(*tensors, how), relu_squared_reference, problem(*sizes), [0, 1, 2])


@pytest.mark.parametrize("sizes", [((300,), 96, 520, 200), ((40,), 8, 264, 16)], ids=str)
def test_sizes_that_have_descriptors(sizes: tuple[tuple[int, ...], int, int, int]) -> None:
    x, w1, w2 = problem(*sizes)
    assert relu_squared_descriptors(x, w1.t(), False) and relu_squared_descriptors(x.new_zeros(2, len(w2)), w2, True)
    hold(fused_relu_squared, relu_squared_reference, [x, w1, w2], [0, 1, 2])


def test_sizes_that_have_none_and_weights_in_other_layouts() -> None:
    x, w1, w2 = problem((40,), 24, 72, 16)
    assert not relu_squared_descriptors(x, w1.t().contiguous(), False)
    assert not relu_squared_descriptors(x.new_zeros(40, 21), w1.new_zeros(72, 21).t(), False)
    assert not relu_squared_descriptors(x, w1.t()[:, :33], False)
    hold(fused_relu_squared, relu_squared_reference, [x, w1.t().contiguous().t(), w2.t().contiguous().t()], [0, 1, 2])


def test_another_way_is_refused() -> None:
    with pytest.raises(ValueError, match="how='cuda' is none of persistent, pointers, library"):
        fused_relu_squared(*problem((6,), 24, 40, 8), "cuda")


@pytest.mark.parametrize("wanted", [[], [0], [1], [2]])
def test_only_the_gradients_that_are_wanted(wanted: list[int]) -> None:
    hold(fused_relu_squared, relu_squared_reference, problem((6,), 24, 40, 8), wanted)


def test_no_number_stays_none() -> None:
    x, w1, w2 = problem((6,), 24, 40, 8)
    x[2, 3] = float("nan")
    ours, expected = fused_relu_squared(x, w1, w2), relu_squared_reference(x, w1, w2)
    assert torch.equal(ours.isnan(), expected.isnan())


def test_one_activation_is_kept() -> None:
    tensors = problem((6,), 24, 40, 8)
    kept: list[Any] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda item: kept.append(item) or item, lambda item: item):
        fused_relu_squared(*[item.requires_grad_() for item in tensors])
    assert sum(item.shape == (6, 40) for item in kept) == 1 and len(kept) == 4


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    x, w1, w2 = torch.randn(3, 4), torch.randn(5, 4), torch.randn(2, 5)
    assert not relu_squared_fits(x, w1, w2)
    assert torch.equal(relu_squared(x, w1, w2), relu_squared_reference(x, w1, w2))
