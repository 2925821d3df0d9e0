"""A baseline whose results cannot be compared, or whose arguments hide tensors, is refused: all would pass."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import torch

from outpace_audit.comparable import uncompared, unwatched
from outpace_audit.errors import TargetError
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import Code, Workload
from outpace_audit.tensors import flatten

WORKLOAD = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
INPUTS = "def get_inputs():\n    return [torch.randn(4, 4)]\n"
CACHE = """class Cache:
    def __init__(self):
        self.layers = [{"keys": torch.zeros(4, 4)}]

def get_inputs():
    return [torch.randn(4, 4), Cache()]
"""


@dataclass
class Config:
    width: int = 4
    act: object = torch.relu


class Slotted:
    __slots__ = ("kept",)

    def __init__(self, kept: object) -> None:
        self.kept = kept


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    state = tmp_path_factory.mktemp("state") / ".outpace"
    with Judge("cpu", arm_launcher(state), state) as judge:
        yield judge


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("async def f(x):\n    return x * 2\n", "result is a coroutine, which cannot be compared"),
        ("def f(x):\n    yield x * 2\n", "result is a generator, which cannot be compared"),
        ("def f(x):\n    return x + 1, {int(x.argmax())}\n", r"\[1\] is a set, which cannot be compared"),
        ("def f(x):\n    return x.numpy()\n", "result is a ndarray, which cannot be compared"),
        (
            "import types\ndef f(x):\n    return {'a': types.SimpleNamespace(y=x)}\n",
            r"\['a'\] is a SimpleNamespace, which cannot be compared",
        ),
    ],
)  # fmt: skip
def test_results_of_which_only_the_type_is_known_are_refused(judge: Judge, tmp_path: Path, text: str, why: str) -> None:
    code = Code(str(tmp_path / "f.py"), f"import torch\n{text}{INPUTS}", "f", "function")
    with pytest.raises(TargetError, match=why):
        judge.set_target(code, [WORKLOAD])


def test_an_argument_whose_tensors_nobody_would_watch_is_refused(judge: Judge, tmp_path: Path) -> None:
    text = f"import torch\n{CACHE}\ndef f(x, cache):\n    cache.layers[0]['keys'] += x\n    return x + 1\n"
    with pytest.raises(TargetError, match="argument 1 has a Cache, whose tensors are not seen"):
        judge.set_target(Code(str(tmp_path / "f.py"), text, "f", "function"), [WORKLOAD])


@pytest.mark.parametrize(
    "value",
    [
        types.SimpleNamespace(a=[{"b": torch.zeros(2)}]),
        Slotted(torch.zeros(2)),
        Slotted({torch.zeros(2)}),
        torch.nn.Linear(2, 2),
        [Slotted(Slotted(torch.zeros(2)))],
        Config(act=torch.zeros(2)),
    ],
)
def test_tensors_are_found_wherever_an_object_keeps_them(value: object) -> None:
    assert len(unwatched([torch.zeros(2), value])) == 1


def test_objects_without_tensors_and_tensors_in_containers_are_arguments() -> None:
    loop = types.SimpleNamespace()
    loop.itself = loop
    told = [torch.zeros(2), {"a": (torch.zeros(2), None)}, Config(), torch.relu, partial, torch.nn.ReLU(), loop, torch]
    assert unwatched(told) == []


def test_plain_values_and_what_holds_tensors_can_be_compared() -> None:
    result = {"a": (torch.zeros(2), None, 1.5, "x", torch.float32, torch.device("cpu"), 1j), "b": Config(act=True)}
    assert uncompared(flatten(result)) == []
