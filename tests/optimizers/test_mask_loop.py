"""What `mask-loop` writes into a file says what `torch.where` says, value by value, and edits change no bit."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from outpace_optimizers.rules import mask_loop

torch = pytest.importorskip("torch")

CASES = sorted(path for path in (Path(__file__).parent / "golden" / "mask-loop").glob("*/after.py"))


def where_each() -> Any:
    space: dict[str, Any] = {"torch": torch}
    exec(mask_loop._TEXT, space)  # pyright: ignore[reportPrivateUsage]
    return space["where_each"]


@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (40, 2), (3, 0), (5, 4, 3)], ids=str)
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float32", "bool"])
def test_places_are_those_of_where_in_its_order(shape: tuple[int, ...], dtype: str) -> None:
    torch.manual_seed(0)
    low = 0 if dtype in ("uint8", "bool") else -2
    values = torch.randint(low, 8, shape).to(getattr(torch, dtype))
    for given in (values, values.transpose(0, -1)) if values.dim() else (values,):
        places = where_each()(given, 6)
        assert len(places) == 6
        for value, found in enumerate(places):
            expected = torch.where(given == value)
            assert len(found) == len(expected)
            for one, two in zip(found, expected, strict=True):
                assert torch.equal(one, two)
                assert one.dtype == two.dtype


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.parent.name)
def test_not_a_bit_changes(case: Path, dtype: str) -> None:
    one, two = (results(path, getattr(torch, dtype)) for path in (case, case.with_name("before.py")))
    assert len(one) == len(two)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def results(path: Path, dtype: Any) -> list[Any]:
    space: dict[str, Any] = {"__name__": "case"}
    text = path.read_text()
    exec(compile(text, str(path), "exec"), space)
    torch.manual_seed(0)
    target: Any = space[text.splitlines()[0].removeprefix("# target: ")]
    parameters: list[Any] = []
    if inspect.isclass(target):
        target = target().to(dtype)
        parameters = list(target.parameters())
    inputs = [item.to(dtype) if item.is_floating_point() else item for item in space["get_inputs"]()]
    leaf = inputs[0].requires_grad_()
    out = target(*inputs)
    out.square().sum().backward()
    return [out.detach(), leaf.grad, *(item.grad for item in parameters)]
