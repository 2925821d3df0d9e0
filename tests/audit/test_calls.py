"""What an arm finds out about one call's arguments and results."""

from __future__ import annotations

import pytest
import torch

from outpace_audit.call_inputs import refill
from outpace_audit.nudging import are_codes, nudge_one, rearrange_one, renew_part
from outpace_audit.overlaps import overlap

WHOLE = torch.zeros(4, 6)


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (WHOLE[:2], WHOLE[2:], False),
        (WHOLE[:, :3], WHOLE[:, 3:], False),
        (WHOLE[:, 0::2], WHOLE[:, 1::2], False),
        (WHOLE[:, 0::2], WHOLE[:, 0::3], True),
        (WHOLE[:3], WHOLE[2:], True),
        (WHOLE[:1].expand(4, 6), WHOLE[1:], False),
        (WHOLE[1:2].expand(4, 6), WHOLE[1:], True),
        (WHOLE.view(torch.float16)[:, ::2], WHOLE[:, 1:], True),
        (WHOLE, torch.zeros(4, 6), False),
    ],
    ids=[
        "halves",
        "columns",
        "interleaved",
        "a common multiple",
        "a common row",
        "apart",
        "repeated",
        "dtypes",
        "apart",
    ],
)
def test_outputs_share_memory_where_they_share_a_byte(one: torch.Tensor, other: torch.Tensor, shared: bool) -> None:
    assert overlap(one, other) == overlap(other, one) == shared


@pytest.mark.parametrize("seed", range(8))
def test_one_element_changes_and_everywhere_the_same(seed: int) -> None:
    def inputs() -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(1)
        floats = torch.randn(8, 16, generator=generator, requires_grad=True)
        return [floats, torch.arange(8), torch.ones(8, 8), torch.randn(1, 16, generator=generator).expand(8, 16)]

    before, one, other = inputs(), inputs(), inputs()
    nudge_one(one, seed)
    nudge_one(other, seed)
    assert sum(int((a != b).sum()) for a, b in zip(before, one, strict=True)) == 1
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    written = [tensor._version > 0 for tensor in one]  # pyright: ignore[reportPrivateUsage]
    assert written == [not torch.equal(a, b) for a, b in zip(before, one, strict=True)]  # whoever caches can see it


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.complex64])
def test_quantised_and_complex_values_change_too(dtype: torch.dtype) -> None:
    values = torch.arange(64).remainder(40).to(dtype).view(8, 8)
    changed = values.clone()
    nudge_one([torch.arange(8), changed], 1)
    assert int((changed != values).sum()) == 1


@pytest.mark.parametrize("seed", range(8))
def test_two_codes_change_places_where_no_end_and_no_sum_tells(seed: int) -> None:
    codes = torch.randint(0, 2**62, (64, 6), generator=torch.Generator().manual_seed(1))
    assert are_codes(codes)
    changed = codes.clone()
    nudge_one([torch.arange(8), changed], seed)
    moved = torch.nonzero(changed != codes)
    assert len(moved) == 2 and moved[0, 0] == moved[1, 0]
    assert changed[[0, -1]].equal(codes[[0, -1]]) and changed[:, [0, -1]].equal(codes[:, [0, -1]])
    assert changed.sum() == codes.sum()


@pytest.mark.parametrize(
    "other",
    [
        torch.randperm(2**18),
        torch.randperm(64),
        torch.arange(64) << 40,
        torch.tensor([7, 1 << 40, 9, 7]),
        torch.tensor(1 << 40),
    ],
)
def test_what_selects_what_is_in_order_and_what_recurs_is_no_code(other: torch.Tensor) -> None:
    assert not are_codes(other)


def test_what_stays_the_same_is_not_written_again() -> None:
    stored = [torch.zeros(4), torch.ones(4)]
    refill(stored, [torch.zeros(4), torch.full((4,), 2.0)])
    assert [tensor._version for tensor in stored] == [0, 1]  # pyright: ignore[reportPrivateUsage]
    assert bool((stored[1] == 2).all())


def test_where_nothing_may_be_changed_nothing_is() -> None:
    mask = torch.ones(8, 8)
    nudge_one([mask, torch.arange(8)], 1)
    assert bool((mask == 1).all())


@pytest.mark.parametrize("seed", range(8))
def test_elements_change_places_within_what_they_mean(seed: int) -> None:
    def inputs() -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(1)
        pairs = torch.stack([torch.randint(0, 9, (32,), generator=generator) + 100 * row for row in range(2)])
        return [torch.randn(8, 16, generator=generator), pairs, torch.arange(8), torch.tensor([0, 3, 3, 9])]

    before, after = inputs(), inputs()
    rearrange_one(after, seed)
    changed = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if not torch.equal(a, b)]
    assert changed in ([0], [1])  # sorted offsets and numbers that are all different have a structure
    assert all(torch.equal(a.flatten().sort()[0], b.flatten().sort()[0]) for a, b in zip(before, after, strict=True))
    assert bool((after[1][0] < 100).all())
    assert bool((after[1][1] >= 100).all())


def test_half_of_each_tensor_is_drawn_anew_in_turn_and_what_has_an_order_is_kept() -> None:
    def inputs(seed: int) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(seed)
        edges = torch.randint(0, 9, (2, 64), generator=generator)
        offsets = torch.randint(0, 9, (8,), generator=generator).sort()[0]
        return [torch.randn(8, 16, generator=generator), edges, offsets, torch.ones(4, 4, dtype=torch.bool)]

    before, others = inputs(1), inputs(2)
    changed: list[list[torch.Tensor]] = []
    for seed in range(30, 33):
        after = inputs(1)
        renew_part(after, others, seed)
        changed.append([a != b for a, b in zip(before, after, strict=True)])
    assert [[bool(one.any()) for one in call] for call in changed].count([True, False, False, False]) == 1
    rows = [call[1].any(dim=1).tolist() for call in changed if bool(call[1].any())]
    assert len(rows) == 2  # along both dimensions: one row, and half of both
    assert [True, True] in rows and ([True, False] in rows or [False, True] in rows)
    half = next(call[1] for call in changed if call[1].any(dim=1).all())
    assert not half[:, :32].any() or not half[:, 32:].any()
