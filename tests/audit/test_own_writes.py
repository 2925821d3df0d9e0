"""Writes past version counters that torch's own operators make, and those that others do."""

from __future__ import annotations

import torch

from outpace_audit.own_writes import own_writes


def scaler(grads: list[torch.Tensor]) -> None:
    torch._amp_foreach_non_finite_check_and_unscale_(grads, torch.zeros(1), torch.tensor(0.5))  # pyright: ignore


def test_what_torchs_scaler_writes_is_its_own() -> None:
    grads = [torch.randn(4), torch.randn(4)]
    assert own_writes(grads, lambda: scaler(grads)) == {0, 1}


def test_a_write_through_data_is_not_nor_beside_the_scaler() -> None:
    grads = [torch.randn(4), torch.randn(4)]

    def both() -> None:
        scaler(grads)
        grads[0].data.mul_(2)

    assert own_writes(grads, lambda: grads[0].data.mul_(2)) == set()
    assert own_writes(grads, both) == {1}


def test_a_write_that_counts_is_none_of_them() -> None:
    grads = [torch.randn(4)]
    assert own_writes(grads, lambda: grads[0].mul_(2)) == set()
