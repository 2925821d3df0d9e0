"""Results in containers that read by code of their own are told from plain ones."""

from __future__ import annotations

import collections
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch

from outpace_audit.containers import own_containers


class Late(dict[str, Any]):
    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name) or torch.zeros(2)


class Tagged(dict[str, Any]):
    tag = "kept for the caller"


class Pair(NamedTuple):
    first: int
    second: int = 2


class Lagging(Pair):
    @property
    def first(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return 1


@dataclass
class Record:
    first: int
    second: int = 2


@dataclass(frozen=True, slots=True)
class Slotted:
    first: int


class Posing:
    __dataclass_fields__ = {"first": None}  # noqa: RUF012

    @property
    def first(self) -> int:
        return 1


@pytest.mark.parametrize(
    "value",
    [
        (1, [2, {"a": 3}]),
        Pair(1),
        Record(1),
        Slotted(1),
        Tagged(a=1),
        collections.OrderedDict(a=1),
        torch.arange(4.0).topk(2),
        torch.linalg.svd(torch.eye(2)),
        torch.zeros(2).shape,
        torch.zeros(2),
        None,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_reads_as_it_stands_is_plain(value: Any) -> None:
    assert not list(own_containers(value))


@pytest.mark.parametrize("value", [Late(a=None), Lagging(1, 2), Posing()], ids=lambda value: type(value).__name__)
def test_what_may_be_made_when_it_is_read_is_named_with_its_place(value: Any) -> None:
    assert list(own_containers([1, {"a": (value,)}])) == [("[1]['a'][0]", type(value).__name__)]
