"""Values survive the way through JSON, and what cannot is named."""

from __future__ import annotations

import enum
import functools
import json
import math
import operator
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from outpace_audit.encoding import Decoder, Encoder, Unencodable, main_names

PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text())
KEYS = st.one_of(st.integers(), st.text(), st.booleans())
NESTED = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple), st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)


class Activation(enum.Enum):
    GELU = "gelu"


@dataclass
class Config:
    width: int = 8
    act: Activation = Activation.GELU
    extra: dict[str, tuple[int, ...]] = field(default_factory=dict[str, "tuple[int, ...]"])


@dataclass(frozen=True, slots=True)
class Frozen:
    width: int


class Norm(torch.nn.Module):
    def __init__(self, width: int, *, eps: float) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(width))
        self.eps = eps


def through_json(value: Any, encoder: Encoder | None = None, **decoding: Any) -> Any:
    return Decoder(**decoding).decode(json.loads(json.dumps((encoder or Encoder()).encode(value))))


@given(NESTED)
def test_plain_values_come_back(value: Any) -> None:
    again = through_json(value)
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        math.inf,
        {1, 2},
        torch.bfloat16,
        torch.device("cpu"),
        torch.Size([2, 3]),
        Activation.GELU,
        Config(3, extra={"a": (1, 2)}),
        Frozen(4),
        SimpleNamespace(lr=0.1, name="x"),
        torch.nn.functional.gelu,
        torch.nn.LayerNorm,
        math.sqrt,
        operator.add,
    ],
    ids=repr,
)
def test_what_configurations_are_made_of_comes_back(value: Any) -> None:
    again = through_json(value)
    assert again == value
    assert type(again) is type(value)


def test_a_partial_comes_back() -> None:
    again = through_json(functools.partial(torch.nn.LayerNorm, eps=1e-3))
    assert (again.func, again.keywords) == (torch.nn.LayerNorm, {"eps": 1e-3})


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.bool])
def test_a_small_tensor_comes_back(dtype: torch.dtype) -> None:
    tensor = torch.tensor([[0.5, -math.inf], [2.0, 1.0]]).to(dtype)
    again = through_json(tensor)
    assert again.dtype == dtype
    assert torch.equal(again, tensor)


def test_an_object_is_not_constructed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = Encoder().encode(Config(3))
    monkeypatch.setattr(Config, "__init__", None)
    assert Decoder().decode(encoded).width == 3


def test_a_module_comes_back_by_its_constructor() -> None:
    built = [f"{__name__}:Norm", {"list": [5]}, {"dict": [["eps", 0.1]]}]
    again = through_json(Norm(5, eps=0.1), Encoder(constructor=lambda module: built))
    assert isinstance(again, Norm)
    assert (again.weight.shape, again.eps) == ((5,), 0.1)


def test_leaves_are_kept_apart() -> None:
    encoder = Encoder(leaf=lambda value: 0 if isinstance(value, torch.Tensor) else None)
    tensor = torch.zeros(2)
    assert encoder.encode({"cache": [tensor, 3]}) == {"dict": [["cache", {"list": [{"leaf": 0}, 3]}]]}
    assert through_json((tensor, 3), encoder, leaves=["it"]) == ("it", 3)


def test_a_device_becomes_the_one_that_is_measured_on() -> None:
    assert through_json(torch.device("cpu"), device="meta") == torch.device("meta")


def looped() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


@pytest.mark.parametrize(
    "value, said",
    [
        (lambda x: x, "no name of its own"),
        (threading.Lock(), "lock"),
        (torch.Generator(), "Generator"),
        (torch.optim.SGD([torch.zeros(1)], 0.1), "SGD"),
        (torch.zeros(5000), "5000 elements"),
        (torch.nn.Linear(2, 2), "not seen being built"),
        (Config(extra={"a": threading.Lock()}), "a Config that holds"),  # type: ignore[dict-item]
        (looped(), "nested too deeply"),
    ],
)
def test_what_cannot_be_made_again_is_named(value: Any, said: str) -> None:
    with pytest.raises(Unencodable, match=said):
        Encoder().encode(value)


def test_names_of_the_script_are_found_wherever_they_stand() -> None:
    encoded = {"list": [{"object": ["__main__:Config", {"act": {"enum": ["__main__:Act.Kind", "GELU"]}}]}, "__main__:"]}
    assert set(main_names(encoded)) == {"Config", "Act"}
