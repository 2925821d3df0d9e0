"""Magnitudes at which the baseline is about to overflow say nothing about a candidate."""

from __future__ import annotations

import torch

from outpace_audit.scout import is_calm
from outpace_audit.sides import LeafView, Reply


def reply(values: list[float], gradient: list[float], dtype: torch.dtype = torch.float32) -> Reply:
    def leaf(path: str, numbers: list[float]) -> LeafView:
        tensor = torch.tensor(numbers, dtype=dtype)
        return LeafView(path, tuple(tensor.shape), dtype=str(dtype).removeprefix("torch."), tensor=tensor)

    return Reply((leaf("result", values),), (leaf("gradient of input 0", gradient),), ())


PLAIN = reply([1.0, 2.0], [1.0])


def test_what_is_large_or_infinite_is_not_calm_in_any_of_the_replies() -> None:
    assert is_calm(PLAIN, reply([1e9], [1e9]), reply([1e9], [1e9]))
    assert not is_calm(PLAIN, reply([1e30], [1.0]), None)
    assert not is_calm(PLAIN, reply([1.0], [float("inf")]), None)
    assert not is_calm(PLAIN, reply([1.0], [1.0]), reply([1e200], [1.0], torch.float64))


def test_what_is_as_large_in_the_plain_call_is_not_looked_at() -> None:
    masked = reply([float("-inf"), 1.0], [1.0])
    assert is_calm(masked, reply([float("-inf"), 8.0], [1.0]), None)
    assert not is_calm(masked, reply([float("-inf"), 8.0], [1e30]), None)
