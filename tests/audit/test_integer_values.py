"""Integers over the whole range of their type, where they are data; and where a baseline's own leave it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from outpace_audit.integer_values import are_data
from outpace_audit.truth import LiftToFloat64
from outpace_audit.values import revalue


@pytest.mark.parametrize(
    ("value", "is_data"),
    [
        (torch.randint(-1024, 2048, (64, 64), dtype=torch.int16), True),
        (torch.randint(0, 256, (64, 64), dtype=torch.uint8), True),
        (torch.randint(0, 2**62, (64, 4)), True),
        (torch.randint(-(2**31), 2**31 - 1, (64, 4), dtype=torch.int32), True),
        (torch.randint(0, 50_000, (64, 64)), False),
        (torch.randint(0, 2, (64, 64), dtype=torch.uint8), False),
        (torch.randint(0, 10, (64, 64), dtype=torch.int16), False),
        (torch.randn(64), False),
    ],
    ids=["volume", "image", "words", "half words", "tokens", "mask", "grades", "floats"],
)
def test_data_are_told_from_indices_and_masks(value: torch.Tensor, is_data: bool) -> None:
    assert are_data(value) is is_data
    assert torch.equal(revalue([value], "full", 3, None)[0], value) is not is_data


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64])
def test_a_whole_range_has_its_ends(dtype: torch.dtype) -> None:
    limits = torch.iinfo(dtype)
    (full,) = revalue([torch.randint(limits.min // 2, limits.max // 2, (64, 64), dtype=dtype)], "full", 1, None)
    assert full.dtype == dtype
    assert (int(full.min()), int(full.max())) == (limits.min, limits.max)
    assert full.double().std() > 0.25 * (limits.max - float(limits.min))


def test_some_rows_are_complements_of_those_beside_them() -> None:
    queries, codes, apart = (torch.randint(0, 2**62, shape) for shape in ((16, 4), (64, 4), (32, 5)))
    same, opposed, halves = revalue([queries, codes, apart], "opposed", 1, None)
    assert torch.equal(same, queries)
    flipped = (opposed[:16] == ~queries).all(1)
    assert 2 < int(flipped.sum()) < 14
    assert torch.equal(opposed[16:], codes[16:])
    assert bool((halves[16:] == ~halves[:16]).all(1).any())


def test_few_small_integers_stay_below_the_declared_ones() -> None:
    tokens, order, grades = torch.randint(5, 90, (64,)), torch.randperm(64), torch.randint(0, 2, (64,))
    few, same, low = revalue([tokens, order, grades], "few", 1, None)
    assert set(few.tolist()) >= {0, 1, 2, 3}
    assert torch.equal(same, order)
    assert int(low.max()) <= 1


BYTES = torch.tensor([100, 100, 50], dtype=torch.int8)


@pytest.mark.parametrize(
    ("call", "overflows"),
    [
        (lambda x: x + x, "add"),
        (lambda x: x.clone().mul_(x), "mul"),
        (lambda x: x.to(torch.int16) * x, ""),
        (lambda x: x.sum(dtype=torch.int8), "sum"),
        (lambda x: x.sum(), ""),
        (lambda x: (x.long() << 40).to(torch.int32), "_to_copy"),
        (lambda x: x.long() << 62, "__lshift__"),
        (lambda x: (x ^ ~x) >> 1 & 1, ""),
        (lambda x: x.amax() == x, ""),
        (lambda x: torch.zeros(3, dtype=torch.int8).index_add(0, torch.tensor([0, 0, 1]), x), "index_add"),
        (lambda x: x.double() * 1e30, ""),
    ],
)
def test_an_operator_whose_integers_leave_their_type_is_named(
    call: Callable[[torch.Tensor], torch.Tensor], overflows: str
) -> None:
    with LiftToFloat64(counts=True) as mode:
        call(BYTES)
    assert mode.overflowed.rpartition("bitwise_")[2].rstrip("_") == overflows.rstrip("_") or (
        overflows == "__lshift__" and "shift" in mode.overflowed
    )


@pytest.mark.parametrize(
    ("call", "made"),
    [
        (lambda x: x[:0].mean(), "mean"),
        (lambda x: x[:0].sum() / 0, "div"),
        (lambda x: x.masked_fill(x == x, -torch.inf).softmax(0), "infinities"),
        (lambda x: x.mean(), ""),
    ],
)
def test_what_made_the_first_nan_is_named(call: Callable[[torch.Tensor], torch.Tensor], made: str) -> None:
    with LiftToFloat64(averages=True) as mode:
        call(torch.randn(8))
    assert mode.undefined == made
