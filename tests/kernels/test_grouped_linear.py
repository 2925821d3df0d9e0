"""Linear layers of experts against fp64: experts of none, one and many tokens, rows of no expert, odd widths."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, PRODUCT_DTYPE, PRODUCT_DTYPES, hold, normal, results, torch

from outpace_kernels.grouped_linear import (
    fused_grouped_linear,
    grouped_linear,
    grouped_linear_fits,
    grouped_linear_reference,
)


def problem(counts: list[int], width: int, out: int, dtype: Any, rest: int = 0) -> list[Any]:
    ends = torch.tensor(counts, device=DEVICE).cumsum(0).int()
    x = normal(sum(counts) + rest, width, dtype=dtype)
    return [x, normal(len(counts), out, width, dtype=dtype, seed=1, scale=width**-0.5), ends]


@pytest.mark.parametrize("dtype", PRODUCT_DTYPES, ids=str)
@pytest.mark.parametrize(
    ("counts", "width", "out", "rest"),
    [
        ([1], 8, 8, 0),
        ([3, 0, 130, 1, 0], 24, 40, 0),
        ([0, 0, 64, 65], 72, 264, 3),
        ([129, 300, 0, 128], 136, 16, 5),
        ([2] * 33, 8, 24, 0),
    ],
)
def test_values_and_gradients(counts: list[int], width: int, out: int, rest: int, dtype: Any) -> None:
    hold(fused_grouped_linear, grouped_linear_reference, problem(counts, width, out, dtype, rest), [0, 1])


def test_an_expert_does_not_see_its_neighbours() -> None:
    x, weight, ends = problem([5, 70, 9], 24, 40, PRODUCT_DTYPE)
    expected = results(fused_grouped_linear, [x, weight, ends], [0, 1])
    x[5:75], weight[1] = float("nan"), float("nan")
    found = results(fused_grouped_linear, [x, weight, ends], [0, 1])
    for at in (0, 1):
        assert torch.equal(torch.cat((found[at][:5], found[at][75:])), torch.cat((expected[at][:5], expected[at][75:])))
    assert torch.equal(found[2][::2], expected[2][::2]) and bool(found[2][1].isnan().all())


def test_a_flow_that_is_no_number_stays_in_its_expert() -> None:
    x, weight, ends = problem([5, 70, 9], 24, 40, PRODUCT_DTYPE)
    weight.requires_grad_()
    flow = torch.ones(84, 40, dtype=x.dtype, device=DEVICE)
    flow[5:75] = float("nan")
    (found,) = torch.autograd.grad(fused_grouped_linear(x, weight, ends), weight, flow)
    assert bool(found[::2].isfinite().all()) and bool(found[1].isnan().all())


@pytest.mark.parametrize("wanted", [[], [0], [1]])
def test_only_the_gradients_that_are_wanted(wanted: list[int]) -> None:
    hold(fused_grouped_linear, grouped_linear_reference, problem([5, 9], 24, 40, PRODUCT_DTYPE), wanted)


def test_the_same_call_gives_the_same_bits_for_either_type_of_ends() -> None:
    x, weight, ends = problem([50, 7], 24, 40, PRODUCT_DTYPE)
    one, two = (results(fused_grouped_linear, [x, weight, kind], [0, 1]) for kind in (ends, ends.long()))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    tensors = [one.cpu() for one in problem([5, 0, 9], 6, 4, torch.float32, 2)]
    assert not grouped_linear_fits(*tensors)
    assert torch.equal(grouped_linear(*tensors), grouped_linear_reference(*tensors))
    assert grouped_linear(*tensors).shape == (16, 4)


def test_a_second_derivative_is_refused() -> None:
    x, weight, ends = problem([2, 2], 8, 8, PRODUCT_DTYPE)
    x.requires_grad_()
    with pytest.raises(NotImplementedError, match="second derivative"):
        torch.autograd.grad(fused_grouped_linear(x, weight, ends).sum(), x, create_graph=True)
