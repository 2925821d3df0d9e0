"""Cross entropy against fp64: rows longer than a block, ignored rows, every reduction, soft caps, infinities."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, DTYPES, hold, normal, torch

from outpace_kernels.cross_entropy import (
    cross_entropy,
    cross_entropy_fits,
    cross_entropy_reference,
    fused_cross_entropy,
)


def exact(z: Any, t: Any, ignore: int = -100, reduction: str = "mean", softcap: float = 0.0) -> Any:
    return cross_entropy_reference(z, t, ignore, reduction, softcap, widen=False)


def targets(rows: int, classes: int) -> Any:
    return torch.randint(0, classes, (rows,), generator=torch.Generator().manual_seed(3)).to(DEVICE)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 1000), (2, 8193), (2, 20011)], ids=str)
def test_values_and_gradients(shape: tuple[int, int], dtype: Any) -> None:
    logits, target = normal(*shape, dtype=dtype, scale=3), targets(*shape)
    hold(fused_cross_entropy, cross_entropy_reference, [logits, target], [0], exact)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("softcap", [0.0, 15.0])
def test_reductions_ignored_rows_and_soft_caps(reduction: str, softcap: float) -> None:
    logits, target = normal(6, 300, dtype=torch.bfloat16, scale=20), targets(6, 300)
    target[[1, 4]] = 7
    hold(
        lambda z, t: fused_cross_entropy(z, t, 7, reduction, softcap),
        lambda z, t: cross_entropy_reference(z, t, 7, reduction, softcap),
        [logits, target],
        [0],
        lambda z, t: exact(z, t, 7, reduction, softcap),
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_loss_of_logits_as_they_are(dtype: Any) -> None:
    logits, target = normal(6, 300, dtype=dtype), targets(6, 300)
    hold(lambda z, t: fused_cross_entropy(z, t, widen=False), exact, [logits, target], [0])


def test_rows_apart_and_logits_transposed() -> None:
    for logits in (
        normal(6, 2, 40, dtype=torch.float32)[:, 0],
        normal(40, 6, dtype=torch.float32).t(),
        normal(1, 40, dtype=torch.float32).expand(6, 40),
    ):
        hold(fused_cross_entropy, cross_entropy_reference, [logits, targets(6, 40)], [0], exact)


def test_all_rows_ignored_and_infinite_logits_are_as_in_pytorch() -> None:
    logits, target = normal(5, 9000, dtype=torch.float32), targets(5, 9000)
    logits[0, :8200] = -float("inf")
    logits[1] = -float("inf")
    logits[2, 3] = float("inf")
    logits[3, 8999] = float("nan")
    target[0] = 8500
    ours, theirs = (
        function(logits, target, reduction="none") for function in (fused_cross_entropy, cross_entropy_reference)
    )
    torch.testing.assert_close(ours, theirs, equal_nan=True)
    assert fused_cross_entropy(logits, torch.full_like(target, -100)).isnan()


def test_twice_backward_gives_the_same() -> None:
    logits = normal(4, 50, dtype=torch.float32).requires_grad_()
    loss = fused_cross_entropy(logits, targets(4, 50))
    (one,) = torch.autograd.grad(loss, logits, retain_graph=True)
    (two,) = torch.autograd.grad(loss * 2, logits)
    torch.testing.assert_close(two, one * 2)


def test_a_target_that_is_no_class_is_no_number() -> None:
    assert fused_cross_entropy(normal(2, 5, dtype=torch.float32), torch.tensor([1, 5], device=DEVICE)).isnan()


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    logits, target = torch.randn(4, 9, dtype=torch.float64), torch.randint(0, 9, (4,))
    assert not cross_entropy_fits(logits, target)
    assert torch.equal(cross_entropy(logits, target), cross_entropy_reference(logits, target))
    with pytest.raises(ValueError, match="'max' is none of"):
        cross_entropy(logits, target, reduction="max")
