"""Linear layer and cross entropy against fp64: in one block of rows and in several, ignored rows, soft caps."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, DTYPES, hold, normal, results, torch

from outpace_kernels import linear_cross_entropy as module
from outpace_kernels.linear_cross_entropy import (
    fused_linear_cross_entropy,
    linear_cross_entropy,
    linear_cross_entropy_fits,
    linear_cross_entropy_reference,
)


def problem(rows: int, width: int, classes: int, dtype: Any) -> list[Any]:
    target = torch.randint(0, classes, (rows,), generator=torch.Generator().manual_seed(3)).to(DEVICE)
    return [normal(rows, width, dtype=dtype), normal(classes, width, dtype=dtype, seed=1, scale=0.3), target]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("sizes", [(1, 1, 1), (5, 16, 33), (9, 24, 9001)], ids=str)
def test_values_and_gradients(sizes: tuple[int, int, int], dtype: Any) -> None:
    hold(fused_linear_cross_entropy, linear_cross_entropy_reference, problem(*sizes, dtype), [0, 1])


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("softcap", [0.0, 5.0])
def test_reductions_ignored_rows_and_soft_caps(reduction: str, softcap: float) -> None:
    tensors = problem(6, 20, 70, torch.bfloat16)
    tensors[2][[1, 4]] = 7
    hold(
        lambda x, w, t: fused_linear_cross_entropy(x, w, t, 7, reduction, softcap),
        lambda x, w, t: linear_cross_entropy_reference(x, w, t, 7, reduction, softcap),
        tensors,
        [0, 1],
    )


@pytest.mark.parametrize("wanted", [[], [0], [1]])
def test_only_the_gradients_that_are_wanted(wanted: list[int]) -> None:
    hold(fused_linear_cross_entropy, linear_cross_entropy_reference, problem(4, 8, 20, torch.float32), wanted)


def test_several_blocks_of_rows_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = problem(7, 8, 20, torch.float32)
    whole = results(fused_linear_cross_entropy, tensors, [0, 1])

    class Smaller:
        next_power_of_2 = staticmethod(module.triton.next_power_of_2)

        @staticmethod
        def cdiv(a: int, b: int) -> int:
            return -(-a // min(b, 60))

    monkeypatch.setattr(module, "triton", Smaller)
    for one, two in zip(results(fused_linear_cross_entropy, tensors, [0, 1]), whole, strict=True):
        torch.testing.assert_close(one, two)


def test_twice_backward_gives_the_same() -> None:
    x, weight, target = problem(4, 8, 20, torch.float32)
    x.requires_grad_()
    loss = fused_linear_cross_entropy(x, weight, target)
    (one,) = torch.autograd.grad(loss, x, retain_graph=True)
    (two,) = torch.autograd.grad(loss * 2, x)
    torch.testing.assert_close(two, one * 2)


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    x, weight, target = (torch.randn(4, 9, dtype=torch.float64), torch.randn(5, 9).double(), torch.randint(0, 5, (4,)))
    assert not linear_cross_entropy_fits(x, weight, target)
    assert torch.equal(linear_cross_entropy(x, weight, target), linear_cross_entropy_reference(x, weight, target))
    with pytest.raises(ValueError, match="'none' is neither"):
        linear_cross_entropy(x, weight, target, reduction="none")
