"""Decaying linear attention against a recurrence in fp64: chunks and parts of one, odd widths, shared heads, decays."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import PRODUCT_DTYPE, PRODUCT_DTYPES, hold, normal, results, torch

from outpace_kernels.linear_attention import (
    fused_linear_attention,
    linear_attention,
    linear_attention_fits,
    linear_attention_reference,
)


def stepped(q: Any, k: Any, v: Any, decay: Any) -> Any:
    """One position after the other."""
    state, outputs = 0, []
    for time in range(q.shape[1]):
        state = decay[:, time, :, None, None].exp() * state + k[:, time, :, :, None] * v[:, time, :, None, :]
        outputs.append((q[:, time, :, :, None] * state).sum(-2))
    return torch.stack(outputs, 1)


def inputs(batch: int, length: int, heads: int, width: int, v_width: int, dtype: Any, rate: float = 0.1) -> list[Any]:
    q, k = (normal(batch, length, heads, width, dtype=dtype, seed=seed, scale=width**-0.25) for seed in (1, 2))
    v = normal(batch, length, heads, v_width, dtype=dtype, seed=3)
    decay = -rate * torch.nn.functional.softplus(normal(batch, length, heads, dtype=torch.float32, seed=4))
    return [q, k, v, decay]


@pytest.mark.parametrize("dtype", PRODUCT_DTYPES, ids=str)
@pytest.mark.parametrize(
    "sizes", [(1, 2, 1, 1, 1), (2, 70, 2, 16, 24), (1, 64, 1, 80, 65), (1, 150, 2, 128, 7)], ids=str
)
def test_values_and_gradients(sizes: tuple[int, int, int, int, int], dtype: Any) -> None:
    tensors = inputs(*sizes, dtype)
    hold(fused_linear_attention, linear_attention_reference, tensors, [0, 1, 2, 3], exact=stepped)


@pytest.mark.parametrize("rate", [0.0, 5.0, 60.0])
def test_decays_of_nothing_and_of_all(rate: float) -> None:
    tensors = inputs(1, 130, 1, 8, 8, PRODUCT_DTYPE, rate)
    hold(fused_linear_attention, linear_attention_reference, tensors, [0, 1, 2, 3], exact=stepped)


def test_heads_that_share_queries_and_keys_read_them_in_place() -> None:
    q, k, v, decay = inputs(2, 20, 4, 8, 8, PRODUCT_DTYPE)
    q, k = (one[:, :, :1] for one in (q, k))

    def spread(function: Any) -> Any:
        return lambda q, k, v, decay: function(*(one.expand(-1, -1, 4, -1) for one in (q, k)), v, decay)

    hold(
        spread(fused_linear_attention),
        spread(linear_attention_reference),
        [q, k, v, decay],
        [0, 1, 2, 3],
        exact=spread(stepped),
    )


def test_the_same_call_gives_the_same_bits() -> None:
    tensors = inputs(1, 70, 2, 16, 16, PRODUCT_DTYPE)
    one, two = (results(fused_linear_attention, tensors, [0, 1, 2, 3]) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    tensors = [one.cpu() for one in inputs(1, 5, 2, 4, 4, PRODUCT_DTYPE)]
    assert not linear_attention_fits(*tensors)
    assert torch.equal(linear_attention(*tensors), linear_attention_reference(*tensors))


def test_a_second_derivative_is_refused() -> None:
    tensors = inputs(1, 4, 1, 4, 4, PRODUCT_DTYPE)
    tensors[2].requires_grad_()
    with pytest.raises(NotImplementedError, match="second derivative"):
        torch.autograd.grad(fused_linear_attention(*tensors).sum(), tensors[2], create_graph=True)
