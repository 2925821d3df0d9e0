"""QK-norm with rotary embedding against fp64: heads of either, transposed heads, tables and gains of other dtypes."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DTYPES, hold, normal, results, torch

from outpace_kernels.qk_norm_rope import (
    fused_qk_norm_rope,
    qk_norm_rope,
    qk_norm_rope_fits,
    qk_norm_rope_reference,
)
from outpace_kernels.rope import rope_reference

EPS = 1e-6


def ours(*tensors: Any) -> Any:
    return fused_qk_norm_rope(*tensors, eps=EPS)


def reference(*tensors: Any) -> Any:
    return qk_norm_rope_reference(*tensors, eps=EPS)


def exact(q: Any, k: Any, q_gain: Any, k_gain: Any, cos: Any, sin: Any) -> Any:
    """The reference's statistics are of fp32: truth has to stay in fp64."""
    q, k = (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS) * g for x, g in ((q, q_gain), (k, k_gain)))
    return rope_reference(q, k, cos, sin)


def gains(width: int, dtype: Any) -> list[Any]:
    return [1 + normal(width, dtype=dtype, seed=seed, scale=0.2) for seed in (4, 5)]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("sizes", [(1, 1, 1, 1, 2), (2, 4, 2, 5, 16), (1, 3, 1, 7, 22), (2, 33, 8, 3, 128)], ids=str)
def test_values_and_gradients(sizes: tuple[int, ...], dtype: Any) -> None:
    batch, heads, key_heads, length, width = sizes
    q, k = (normal(batch, one, length, width, dtype=dtype, seed=one) for one in (heads, key_heads))
    for shape in ((length, width), (batch, length, width), (1, length, width)):
        cos, sin = normal(*shape, dtype=dtype, seed=2), normal(*shape, dtype=dtype, seed=3)
        hold(ours, reference, [q, k, *gains(width, dtype), cos, sin], [0, 1, 2, 3], exact)


def test_transposed_heads_and_tables_and_gains_of_fp32() -> None:
    q, k = (normal(2, 5, 4, 16, dtype=torch.bfloat16, seed=seed).transpose(1, 2) for seed in (0, 1))
    cos, sin = (normal(5, 16, dtype=torch.float32, seed=seed) for seed in (2, 3))
    hold(ours, reference, [q, k, *gains(16, torch.float32), cos, sin], [0, 1, 2, 3], exact)
    assert ours(q, k, *gains(16, torch.bfloat16), cos.bfloat16(), sin.bfloat16())[0].stride() == q.stride()
    halves = [one[..., ::2] for one in (q, k, *gains(16, torch.bfloat16), cos, sin)]
    hold(ours, reference, halves, [0, 1, 2, 3], exact)


def test_frozen_gains() -> None:
    q, cos, sin = (normal(*shape, dtype=torch.float32, seed=7) for shape in ((1, 2, 3, 8), (3, 8), (3, 8)))
    hold(ours, reference, [q, q + 1, *gains(8, torch.float32), cos, sin], [0, 1], exact)


def test_the_same_call_gives_the_same_bits() -> None:
    q, k = (normal(2, 4, 40, 32, dtype=torch.bfloat16, seed=seed) for seed in (0, 1))
    table = normal(40, 32, dtype=torch.bfloat16, seed=2)
    tensors = [q, k, *gains(32, torch.bfloat16), table, table]
    one, two = (results(ours, tensors, [0, 1, 2, 3]) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    q, table, gain = torch.randn(1, 2, 3, 4), torch.randn(3, 4), torch.randn(4)
    assert not qk_norm_rope_fits(q, q, gain, gain, table, table)
    tensors = q, q, gain, gain, table, table
    assert all(torch.equal(a, b) for a, b in zip(qk_norm_rope(*tensors, EPS), reference(*tensors), strict=True))


def test_a_second_derivative_is_refused() -> None:
    q, table = normal(1, 2, 3, 4, dtype=torch.float32).requires_grad_(), normal(3, 4, dtype=torch.float32)
    gain = normal(4, dtype=torch.float32)
    with pytest.raises(NotImplementedError, match="second derivative"):
        torch.autograd.grad(ours(q, q, gain, gain, table, table)[0].sum(), q, create_graph=True)
