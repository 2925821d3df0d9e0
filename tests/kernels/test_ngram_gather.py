"""Hashed n-grams: keys against Python's own integers, rows and gradients against the reference, causality."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, DTYPES, hold, normal, torch

from outpace_kernels.ngram_gather import (
    fused_ngram_gather,
    ngram_gather,
    ngram_gather_fits,
    ngram_gather_reference,
    ngram_keys,
)


def mixed(key: int) -> int:
    key = (key ^ key >> 16) * 0x85EBCA6B % 2**32
    key = (key ^ key >> 13) * 0xC2B2AE35 % 2**32
    return key ^ key >> 16


def key_of(row: list[int], time: int, rows: int, vocabulary: int, order: int) -> int:
    one, two = (row[time - back] if time >= back else 0 for back in (1, 2))
    key = mixed((one * vocabulary + row[time]) % 2**32)
    return (mixed(key ^ two * 0x9E3779B1 % 2**32) if order == 3 else key) % rows


def tokens_of(batch: int, length: int, vocabulary: int, dtype: Any = torch.int64) -> Any:
    generator = torch.Generator().manual_seed(5)
    return torch.randint(0, vocabulary, (batch, length), generator=generator).to(DEVICE, dtype)


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("vocabulary", [7, 50304, 2**31 - 1])
@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (2, 9, 70, 33), (3, 130, 1_000_003, 2), (1, 4, 5, 1500)], ids=str)
def test_keys_and_rows(sizes: tuple[int, ...], vocabulary: int, order: int) -> None:
    batch, length, rows, width = sizes
    tokens, table = tokens_of(batch, length, vocabulary), normal(rows, width, dtype=torch.float32)
    found, keys = fused_ngram_gather(tokens, table, vocabulary, order)
    expected = [[key_of(row, time, rows, vocabulary, order) for time in range(length)] for row in tokens.tolist()]
    assert keys.tolist() == expected == ngram_keys(tokens, rows, vocabulary, order).tolist()
    assert torch.equal(found, table[keys])
    assert torch.equal(fused_ngram_gather(tokens.int(), table, vocabulary, order)[1], keys)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_gradients(dtype: Any) -> None:
    tokens = tokens_of(3, 40, 4)
    hold(
        lambda table: fused_ngram_gather(tokens, table, 4, 3)[0],
        lambda table: ngram_gather_reference(tokens, table, 4, 3)[0],
        [normal(30, 6, dtype=dtype)],
        [0],
    )


def test_no_key_sees_a_later_token_nor_another_sequence() -> None:
    tokens, table = tokens_of(2, 20, 1000), normal(997, 3, dtype=torch.float32)
    changed = tokens.clone()
    changed[0, 11:] += 1
    one, two = (fused_ngram_gather(item, table, 1001, 3)[1] for item in (tokens, changed))
    assert torch.equal(one[0, :11], two[0, :11]) and torch.equal(one[1], two[1])
    assert not torch.equal(one[0, 11:], two[0, 11:])


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    tokens, table = tokens_of(2, 5, 9).cpu(), torch.randn(11, 4)
    assert not ngram_gather_fits(tokens, table)
    for one, other in zip(ngram_gather(tokens, table, 9), ngram_gather_reference(tokens, table, 9), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match="order 4"):
        ngram_gather(tokens, table, 9, 4)


def test_a_second_derivative_is_refused() -> None:
    table = normal(7, 3, dtype=torch.float32).requires_grad_()
    with pytest.raises(NotImplementedError, match="second derivative"):
        torch.autograd.grad(fused_ngram_gather(tokens_of(1, 4, 9), table, 9)[0].sum(), table, create_graph=True)
