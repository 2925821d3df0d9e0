"""Rotary embedding's kernel against fp64: heads of queries and keys, transposed heads, tables of either shape."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DTYPES, hold, normal, torch

from outpace_kernels.rope import fused_rope, rope, rope_fits, rope_reference


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("sizes", [(1, 1, 1, 1, 2), (2, 4, 2, 5, 16), (1, 3, 1, 7, 22), (2, 33, 8, 3, 128)], ids=str)
def test_values_and_gradients(sizes: tuple[int, ...], dtype: Any) -> None:
    batch, heads, key_heads, length, width = sizes
    q, k = (
        normal(batch, heads, length, width, dtype=dtype),
        normal(batch, key_heads, length, width, dtype=dtype, seed=1),
    )
    for shape in ((length, width), (batch, length, width), (1, length, width)):
        cos, sin = normal(*shape, dtype=dtype, seed=2), normal(*shape, dtype=dtype, seed=3)
        hold(fused_rope, rope_reference, [q, k, cos, sin], [0, 1])


def test_transposed_heads_and_tables_of_fp32() -> None:
    q, k = (normal(2, 5, 4, 16, dtype=torch.bfloat16, seed=seed).transpose(1, 2) for seed in (0, 1))
    cos, sin = (normal(5, 16, dtype=torch.float32, seed=seed) for seed in (2, 3))
    hold(fused_rope, rope_reference, [q, k, cos, sin], [0, 1])
    ours = fused_rope(q, k, cos.bfloat16(), sin.bfloat16())[0]
    assert ours.stride() == q.stride()
    hold(fused_rope, rope_reference, [q[..., ::2], k[..., ::2], cos[:, ::2], sin[:, ::2]], [0, 1])


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    q, table = torch.randn(1, 2, 3, 4), torch.randn(3, 4)
    assert not rope_fits(q, q, table, table)
    for one, two in zip(rope(q, q, table, table), rope_reference(q, q, table, table), strict=True):
        assert torch.equal(one, two)


def test_a_second_derivative_is_refused() -> None:
    q, table = normal(1, 2, 3, 4, dtype=torch.float32).requires_grad_(), normal(3, 4, dtype=torch.float32)
    with pytest.raises(NotImplementedError, match="second derivative"):
        torch.autograd.grad(fused_rope(q, q, table, table)[0].sum(), q, create_graph=True)
