"""Decoding's attention against fp64: lengths of none to all, parts without positions, grouped heads, strides, scale."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, PRODUCT_DTYPE, PRODUCT_DTYPES, hold, normal, torch

from outpace_kernels.split_kv_decode import (
    fused_split_kv_decode,
    split_kv_decode,
    split_kv_decode_fits,
    split_kv_decode_reference,
)


def plain(q: Any, k: Any, v: Any, lengths: Any, scale: float | None = None) -> Any:
    """A sequence and a head at a time."""
    out, group = torch.zeros_like(q), q.shape[1] // k.shape[1]
    for batch in range(q.shape[0]):
        count = int(lengths[batch])
        for head in range(q.shape[1] if count else 0):
            keys, values = (one[batch, head // group, :count] for one in (k, v))
            scores = keys @ q[batch, head] * (scale or q.shape[2] ** -0.5)
            out[batch, head] = torch.softmax(scores, 0) @ values
    return out


def inputs(heads: int, key_heads: int, width: int, capacity: int, lengths: list[int], dtype: Any) -> list[Any]:
    batch = len(lengths)
    k, v = (normal(batch, key_heads, capacity, width, dtype=dtype, seed=seed) for seed in (1, 2))
    return [normal(batch, heads, width, dtype=dtype), k, v, torch.tensor(lengths, device=DEVICE)]


@pytest.mark.parametrize("dtype", PRODUCT_DTYPES, ids=str)
@pytest.mark.parametrize(
    ("heads", "key_heads", "width", "capacity", "lengths"),
    [
        (1, 1, 1, 1, [1]),
        (6, 2, 24, 300, [300, 1, 0, 65, 257]),
        (20, 1, 80, 1100, [1100, 64]),
        (3, 3, 128, 513, [512, 513, 5]),
    ],
)
def test_values(heads: int, key_heads: int, width: int, capacity: int, lengths: list[int], dtype: Any) -> None:
    tensors = inputs(heads, key_heads, width, capacity, lengths, dtype)
    hold(fused_split_kv_decode, split_kv_decode_reference, tensors, exact=plain)
    hold(fused_split_kv_decode, split_kv_decode_reference, [*tensors[:3], tensors[3].int(), 0.3], exact=plain)


def test_what_lies_beyond_the_lengths_is_not_read() -> None:
    q, k, v, lengths = inputs(4, 2, 16, 600, [70, 300], PRODUCT_DTYPE)
    expected = fused_split_kv_decode(q, k, v, lengths)
    for cache in (k, v):
        for batch, count in enumerate(lengths.tolist()):
            cache[batch, :, count:] = float("nan")
    assert torch.equal(fused_split_kv_decode(q, k, v, lengths), expected)


def test_scores_that_no_fixed_shift_would_bear() -> None:
    q, k, v, lengths = inputs(4, 2, 16, 600, [600, 500], PRODUCT_DTYPE)
    hold(fused_split_kv_decode, split_kv_decode_reference, [q * 100, k, v, lengths], exact=plain)
    hold(fused_split_kv_decode, split_kv_decode_reference, [q * 0 - 1, k * 0 + 200, v, lengths], exact=plain)


def test_a_cache_with_positions_before_heads_is_read_in_place() -> None:
    q, k, v, lengths = inputs(4, 2, 16, 300, [300, 70], PRODUCT_DTYPE)
    turned = [one.transpose(1, 2).contiguous().transpose(1, 2) for one in (k, v)]
    assert torch.equal(fused_split_kv_decode(q, *turned, lengths), fused_split_kv_decode(q, k, v, lengths))
    wide = normal(2, 4, 48, dtype=PRODUCT_DTYPE)
    hold(fused_split_kv_decode, split_kv_decode_reference, [wide[..., ::3], k, v, lengths], exact=plain)


@pytest.mark.gpu
def test_the_same_call_gives_the_same_bits_whichever_program_merges() -> None:
    tensors = inputs(32, 8, 128, 8192, [8192, 5000, 77, 8191], torch.bfloat16)
    expected = fused_split_kv_decode(*tensors)
    assert all(torch.equal(fused_split_kv_decode(*tensors), expected) for _ in range(50))


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    q, k, v, lengths = (one.cpu() for one in inputs(4, 2, 16, 40, [40, 0], torch.float32))
    assert not split_kv_decode_fits(q, k, v, lengths)
    assert torch.equal(split_kv_decode(q, k, v, lengths), split_kv_decode_reference(q, k, v, lengths))
