"""The kernel for rotary embedding of neighbours against fp64: heads before or after places, any tables."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, DTYPES, hold, normal, torch

from outpace_kernels.interleaved_rope import (
    fused_interleaved_rope,
    interleaved_rope,
    interleaved_rope_fits,
    interleaved_rope_reference,
)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("sizes", [(1, 1, 1, 1, 2), (2, 4, 2, 5, 16), (1, 3, 1, 7, 22), (2, 33, 8, 3, 128)], ids=str)
def test_values_and_gradients(sizes: tuple[int, ...], dtype: Any) -> None:
    batch, heads, key_heads, length, width = sizes
    for first in (True, False):
        q, k = (
            normal(*((batch, count, length) if first else (batch, length, count)), width, dtype=dtype, seed=seed)
            for seed, count in enumerate((heads, key_heads))
        )
        for table in ((length,), (batch, length), (1, length)):
            shape = (*table[:-1], 1, length) if first else (*table, 1)
            cos, sin = (normal(*shape, width // 2, dtype=dtype, seed=seed) for seed in (2, 3))
            hold(fused_interleaved_rope, interleaved_rope_reference, [q, k, cos, sin], [0, 1])


def one(x: Any, cos: Any, sin: Any = None) -> Any:
    return fused_interleaved_rope(x, None, cos, sin)[0]


def plain(x: Any, cos: Any, sin: Any = None) -> Any:
    return interleaved_rope_reference(x, None, cos, sin)[0]


def test_queries_alone_of_fewer_dimensions() -> None:
    for shape, table in (((8,), (4,)), ((5, 8), (5, 4)), ((3, 5, 8), (5, 4)), ((5, 3, 8), (5, 1, 4)), ((5, 8), (1, 4))):
        hold(
            one,
            plain,
            [normal(*shape, dtype=torch.float32), *(normal(*table, dtype=torch.float32, seed=s) for s in (1, 2))],
            [0],
        )
    hold(
        one,
        plain,
        [normal(5, 8, dtype=torch.float32), *(normal(5, 1, dtype=torch.float32, seed=s) for s in (1, 2))],
        [0],
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_angles(dtype: Any) -> None:
    q, k = normal(2, 3, 5, 16, dtype=dtype), normal(2, 1, 5, 16, dtype=dtype, seed=1)
    angles = normal(5, 8, dtype=torch.float32, seed=2, scale=20.0)
    hold(fused_interleaved_rope, interleaved_rope_reference, [q, k, angles], [0, 1])


def test_strides_are_taken_as_they_are() -> None:
    q, k = (normal(2, 5, 4, 16, dtype=torch.bfloat16, seed=seed).transpose(1, 2) for seed in (0, 1))
    numbers = torch.view_as_complex(normal(5, 8, 2, dtype=torch.float32, seed=2))
    cos, sin = torch.view_as_real(numbers).unbind(-1)
    hold(fused_interleaved_rope, interleaved_rope_reference, [q, k, cos, sin], [0, 1])
    hold(fused_interleaved_rope, interleaved_rope_reference, [q, k, cos, sin.contiguous()], [0, 1])
    hold(
        fused_interleaved_rope, interleaved_rope_reference, [q[..., ::2], k[..., ::2], cos[:, ::2], sin[:, ::2]], [0, 1]
    )
    ours = fused_interleaved_rope(q, k, cos, sin, torch.float16)[0]
    assert ours.stride() == q.stride() and ours.dtype is torch.float16
    assert torch.equal(ours, fused_interleaved_rope(q, k, cos, sin)[0].half())


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    q, table = torch.randn(1, 2, 3, 4), torch.randn(3, 2)
    assert not interleaved_rope_fits(q, q, table, table)
    for ours, other in zip(
        interleaved_rope(q, q, table, table), interleaved_rope_reference(q, q, table, table), strict=True
    ):
        assert torch.equal(ours, other)


@pytest.mark.skipif(DEVICE != "cuda", reason="only what lies on a GPU fits")
def test_what_fits() -> None:
    def fits(
        shape: tuple[int, ...], table: tuple[int, ...], key: tuple[int, ...] | None = None, **options: Any
    ) -> bool:
        q, cos = torch.empty(shape, device=DEVICE), torch.empty(table, device=DEVICE, **options)
        return interleaved_rope_fits(q, torch.empty(key, device=DEVICE) if key else None, cos, cos)

    assert fits((2, 3, 5, 8), (5, 4), (2, 1, 5, 8)) and fits((2, 5, 3, 8), (2, 5, 1, 4)) and fits((5, 8), (5, 4))
    assert not fits((2, 3, 5, 8), (3, 5, 4)) and not fits((5, 7), (5, 3)) and not fits((5, 8), (2, 5, 4))
    assert not fits((2, 3, 5, 8), (6, 4)) and not fits((2, 3, 5, 8), (5, 4), (2, 3, 6, 8)) and not fits((0, 8), (1, 4))
    assert not fits((5, 8), (5, 4), requires_grad=True)


def test_a_second_derivative_is_refused() -> None:
    q, table = normal(1, 2, 3, 4, dtype=torch.float32).requires_grad_(), normal(3, 2, dtype=torch.float32)
    with pytest.raises(NotImplementedError, match="second derivative"):
        torch.autograd.grad(fused_interleaved_rope(q, q, table, table)[0].sum(), q, create_graph=True)
