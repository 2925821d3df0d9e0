"""A step on touched rows against a dense one in fp64: duplicates, rows of one batch's whole keys, untouched bits."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, DTYPES, FLOOR, normal, torch

from outpace_kernels.touched_rows import fused_touched_rows, touched_rows, touched_rows_fits, touched_rows_reference


def problem(rows: int, width: int, keys: list[int], dtype: Any) -> list[Any]:
    return [
        normal(rows, width, dtype=dtype),
        normal(rows, dtype=torch.float32, seed=1).abs(),
        torch.tensor(keys, device=DEVICE),
        normal(len(keys), width, dtype=dtype, seed=2),
        torch.tensor(0.1, device=DEVICE),
        torch.tensor(3.0, device=DEVICE),
    ]


def dense(table: Any, moments: Any, keys: Any, grads: Any, rate: Any, step: Any, beta: float) -> tuple[Any, Any]:
    """The whole table in fp64."""
    total = torch.zeros(table.shape, dtype=torch.float64, device=table.device).index_add_(0, keys, grads.double())
    touched = torch.zeros(len(table), dtype=torch.bool, device=table.device).index_fill_(0, keys, True)
    moment = beta * moments.double() + (1 - beta) * total.square().mean(-1)
    root = (moment / (1 - beta ** float(step))).sqrt() + 1e-10
    moved = table.double() - float(rate) * total / root[:, None]
    return torch.where(touched[:, None], moved, table.double()), torch.where(touched, moment, moments.double())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(
    ("rows", "width", "keys"),
    [
        (1, 1, [0]),
        (9, 33, [4, 4, 0, 8, 4]),
        (50, 70, [7] * 30 + [3, 7, 49] + [0] * 9),
        (40, 1500, [5, 6, 5, 39] * 4),
        (9, 3, [1] * 70 + [2] * 58 + [3] * 300 + [4] * 20 + [5] * 64),
        (9, 3, [7] * 64 + [8] * 128),
        (300, 2, [(key * key) % 300 for key in range(200)]),
    ],
)
@pytest.mark.parametrize("function", [fused_touched_rows, touched_rows_reference])
def test_a_step(function: Any, rows: int, width: int, keys: list[int], dtype: Any) -> None:
    tensors = problem(rows, width, keys, dtype)
    before = tensors[0].clone()
    table, moments = dense(*tensors, beta=0.9)
    function(*tensors, beta=0.9)
    # One rounding of the row; the interpreter truncates to bf16, which is twice as far.
    torch.testing.assert_close(tensors[0].double(), table, rtol=2 * FLOOR[dtype], atol=2 * FLOOR[dtype])
    torch.testing.assert_close(tensors[1].double(), moments, rtol=1e-5, atol=1e-6)
    untouched = torch.ones(rows, dtype=torch.bool, device=DEVICE).index_fill_(0, tensors[2], False)
    assert torch.equal(tensors[0][untouched], before[untouched])
    assert not torch.equal(tensors[0][~untouched], before[~untouched])


def test_the_first_step_of_a_slow_moment_is_not_lost_in_its_correction() -> None:
    tensors = problem(6, 8, [1, 2, 1], torch.float32)
    tensors[1].zero_()
    tensors[5].fill_(1)
    table, _ = dense(*tensors, beta=0.9999)
    fused_touched_rows(*tensors, beta=0.9999)
    torch.testing.assert_close(tensors[0].double(), table, rtol=1e-5, atol=1e-6)


def test_keys_of_a_batch_and_the_same_bits() -> None:
    made = []
    for _ in range(2):
        table, moments, keys, grads, *numbers = problem(20, 12, [3, 1, 3, 19, 3, 1] * 5, torch.float32)
        fused_touched_rows(table, moments, keys.view(5, 6).int(), grads.view(5, 6, 12), *numbers)
        made.append((table, moments))
    assert all(torch.equal(one, other) for one, other in zip(*made, strict=True))


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    ours, expected = ([one.cpu() for one in problem(9, 4, [1, 1, 8], torch.float32)] for _ in range(2))
    assert not touched_rows_fits(*ours)
    touched_rows(*ours)
    touched_rows_reference(*expected)
    assert torch.equal(ours[0], expected[0]) and torch.equal(ours[1], expected[1])
