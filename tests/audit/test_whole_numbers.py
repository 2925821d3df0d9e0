"""Columns of floats that hold whole numbers: whatever is drawn beside them, they pick what there is."""

from __future__ import annotations

import pytest
import torch

from outpace_audit.changes import HOWS, ArgumentChange
from outpace_audit.fitting import fit
from outpace_audit.laws import draw, generator_for, scale_magnitudes
from outpace_audit.noise import add_noise
from outpace_audit.nudging import nudge_one, rearrange_one
from outpace_audit.perturbation import Perturbation
from outpace_audit.records import ArgSpec
from outpace_audit.values import VALUE_LAWS, revalue
from outpace_audit.whole_numbers import is_whole, whole_columns

IMAGES = 4


def boxes(seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    image = torch.arange(IMAGES).repeat_interleave(10)[:, None].float()
    return torch.cat([image, 1 + 20 * torch.rand(40, 4, generator=generator)], dim=1)


def still_pick(table: torch.Tensor) -> bool:
    column = table[:, 0]
    return bool(((column == column.round()) & (column >= 0) & (column < IMAGES)).all())


def test_a_column_is_told_from_numbers_and_from_masks() -> None:
    assert whole_columns(boxes()) == (0,)
    assert whole_columns(torch.randn(40, 5)) == ()
    assert whole_columns(torch.randint(9, (40, 5)).float()) == (), "all of them are"
    assert whole_columns(boxes()[:4]) == (), "four may be so by chance"
    assert is_whole(torch.randint(9, (40,)).float())
    assert not is_whole(torch.randint(2, (40,)).float()), "a mask"


@pytest.mark.parametrize("law", [name for name, law in VALUE_LAWS.items() if not law.integers])
@pytest.mark.parametrize("seed", range(5))
def test_value_laws_change_the_other_columns(law: str, seed: int) -> None:
    assert still_pick(revalue([boxes()], law, seed, None)[0])


@pytest.mark.parametrize("seed", range(8))
def test_magnitudes_and_noise_leave_them_alone(seed: int) -> None:
    (scaled,) = scale_magnitudes([boxes()], seed)
    assert isinstance(scaled, torch.Tensor) and still_pick(scaled)
    (moved,) = add_noise([boxes().double()], 2.0**-23, seed)
    assert torch.equal(moved[:, 0], boxes()[:, 0].double())
    assert not torch.equal(moved[:, 1:], boxes()[:, 1:].double())


@pytest.mark.parametrize("seed", range(40))
def test_one_element_and_two_in_other_places_stay_in_range(seed: int) -> None:
    for change in (nudge_one, rearrange_one):
        table = boxes()
        change([table], seed)
        assert still_pick(table)


@pytest.mark.parametrize("seed", range(10))
def test_timed_windows_write_beside_them(seed: int) -> None:
    table = boxes()
    perturbation = Perturbation([table], seed, spreads=True)
    (place,), (bank,) = perturbation.slices([table], seed), perturbation.banks(seed, 1)
    place.copy_(perturbation.row([bank], 0, 1)[0])
    assert still_pick(table)
    assert not torch.equal(table, boxes())


ALONE = (
    "ignored",
    "equalled",
    "shuffled",
    "evened",
    "stretched",
    "widened",
    "shortened",
    "begun",
    "crossed",
    "mixed",
    "spared",
    "alike",
)
"""Of integers, masks and what is in order."""


@pytest.mark.parametrize("how", [how for how in HOWS if how not in ALONE])
def test_changed_arguments_keep_them_or_have_others_that_are_there(how: str) -> None:
    (changed,) = ArgumentChange(0, how).apply([boxes()], [boxes(1)], 3)
    assert still_pick(changed)
    assert torch.equal(changed[:, 0], boxes()[:, 0]) == (how != "renumbered")


@pytest.mark.parametrize("seed", range(5))
def test_a_fitted_law_draws_them_within_range_at_another_size(seed: int) -> None:
    drawn = draw(ArgSpec("boxes", (90, 5), "float32", fit(boxes())), generator_for(seed, "boxes", "cpu"), "cpu")
    assert isinstance(drawn, torch.Tensor) and still_pick(drawn)
    assert whole_columns(drawn) == (0,)
