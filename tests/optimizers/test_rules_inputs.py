"""Each golden edit on inputs that the case did not name: other dtypes, mixed ones, layouts, sizes of 1 and 0.

Before and after have to return the same dtypes, shapes and values, or both raise.
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from test_rules_golden import RUNNABLE, WITH_KERNELS, after_files, code_of, eager

torch = pytest.importorskip("torch")

__all__ = ["eager"]  # a fixture for each test here too
LOOSE = {torch.float64: 1e-9, torch.float32: 2e-5, torch.bfloat16: 4e-2, torch.float16: 5e-3}
"""Of the largest value: a few roundings of the narrowest dtype in sight. fp64 is wider where a case casts to fp32."""
WORSE = 8.0
"""Times the error that the code had before: another order of sums."""
INSIDE = 1e-5
"""In fp64: a case that casts to fp32 inside has the errors of fp32."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What is done to a case's inputs and parameters before the call."""

    name: str
    inputs: Callable[[list[Any]], list[Any]] = lambda items: items
    parameters: Callable[[Any], Any] = lambda module: module
    gradients: bool = False


def cast(dtype: Any, only: int | None = None) -> Callable[[list[Any]], list[Any]]:
    """All tensors of floats, or the one at a place among the inputs."""

    def change(items: list[Any]) -> list[Any]:
        return [_cast(item, dtype) if only in (None, place) else item for place, item in enumerate(items)]

    return change


def _cast(item: Any, dtype: Any) -> Any:
    if isinstance(item, (list, tuple)):
        return type(item)(_cast(part, dtype) for part in item)
    return item.to(dtype) if torch.is_tensor(item) and item.is_floating_point() else item


def strided(items: list[Any]) -> list[Any]:
    """The same values, with the first dimension innermost, every second place of a larger tensor."""
    return [_strided(item) if torch.is_tensor(item) and item.dim() else item for item in items]


def _strided(item: Any) -> Any:
    return item.transpose(0, -1).repeat_interleave(2, -1)[..., ::2].transpose(0, -1)


def resized(old: int, new: int) -> Callable[[list[Any]], list[Any]]:
    """Every dimension, and every whole number, of one size made another (at most twice as large); indices point at the
    first."""

    def change(items: list[Any]) -> list[Any]:
        return [_resized(item, old, new) for item in items]

    return change


def _resized(item: Any, old: int, new: int) -> Any:
    if isinstance(item, int) and not isinstance(item, bool):
        return new if item == old else item
    if not torch.is_tensor(item):
        return item
    for dim, size in enumerate(item.shape):
        if size == old:
            item = torch.cat([item, _unlike(item)], dim).narrow(dim, 0, new)
    return item if item.is_floating_point() or item.dtype == torch.bool else torch.zeros_like(item)


def _unlike(item: Any) -> Any:
    """Values near, with no ties."""
    return item * 0.97 if item.is_floating_point() and (item.abs() != 1).any() else item


KNOWN = {
    # heads without elements: 1 over the root of their size is one number now, which Python refuses to divide by
    "explicit-attention/bmm_one_liner": ("size-8-is-0",),
    "explicit-attention/functional_optional_mask": ("size-8-is-0",),
    # fewer heads of queries than of keys, which are then repeated no times
    "grouped-query/direct": ("size-4-is-1",),
    "grouped-query/expanded_under_test": ("size-4-is-1",),
    # no experts at all
    "grouped-experts/one_map_a_class": ("size-5-is-0",),
    "grouped-experts/upcast_weights": ("size-6-is-0",),
    "routing/in_one_expression": ("size-8-is-0",),
    # rounded to one value, elements are ties: either call takes one of them
    "topk-for-sort/trimmed_extremes": ("bfloat16-gradients", "float16-gradients"),
}
"""What differs, and may."""
NARROW = (torch.float32, torch.bfloat16, torch.float16, torch.float64)


OTHERS = (torch.bfloat16, torch.float64)
"""For one tensor among others in fp32."""


def variants(case: Path) -> Iterator[Variant]:
    space = _space(case / "before.py")
    torch.manual_seed(1)
    items = space["get_inputs"]()
    is_module = inspect.isclass(space[code_of(case).symbol])
    for dtype in NARROW:
        for gradients in (False, True):
            name = f"{str(dtype)[6:]}{'-gradients' if gradients else ''}"
            yield Variant(name, cast(dtype), lambda module, dtype=dtype: module.to(dtype), gradients)
    if is_module:
        yield from _mixed_parameters(space, case)
    floats = [place for place, item in enumerate(items) if torch.is_tensor(item) and item.is_floating_point()]
    for place, dtype in product(floats if len(floats) > 1 else [], OTHERS):
        yield Variant(f"input-{place}-{str(dtype)[6:]}", cast(dtype, place), gradients=True)
    yield Variant("strided", strided, gradients=True)
    sizes = {size for item in items if torch.is_tensor(item) for size in item.shape}
    for old in sorted(sizes - {0, 1} - _fixed(space, case)):
        for new in (old + 1, 1, *([] if _dies_of_nothing(case) else [0])):
            yield Variant(f"size-{old}-is-{new}", resized(old, new), gradients=True)


def _dies_of_nothing(case: Path) -> bool:
    """Until PyTorch 2.13 fused attention over nothing divided by zero on the CPU, which ends the process."""
    calls = any("scaled_dot_product_attention" in path.read_text() for path in (case / "before.py", *after_files(case)))
    return calls and tuple(map(int, torch.__version__.split(".")[:2])) < (2, 13)


def _mixed_parameters(space: dict[str, Any], case: Path) -> Iterator[Variant]:
    """A module in another dtype than its inputs, and each of its parameters in another than the others."""
    narrow, wide = torch.bfloat16, torch.float32
    for one, two in ((narrow, wide), (wide, narrow), (torch.float64, wide)):
        name = f"inputs-{str(one)[6:]}-parameters-{str(two)[6:]}"
        yield Variant(name, cast(one), lambda module, two=two: module.to(two), True)
    for place, dtype in product(range(_count(space, case)), OTHERS):
        name = f"parameter-{place}-{str(dtype)[6:]}"
        yield Variant(name, parameters=_one_parameter(place, dtype), gradients=True)


def _fixed(space: dict[str, Any], case: Path) -> set[int]:
    """Sizes that a module's constructor has decided: other inputs are none of its own."""
    target = space[code_of(case).symbol]
    if not inspect.isclass(target):
        return set()
    made = target(*(space["get_init_inputs"]() if "get_init_inputs" in space else []))
    numbers = {value for module in made.modules() for value in vars(module).values() if isinstance(value, int)}
    return numbers | {size for item in made.state_dict().values() for size in item.shape}


def _one_parameter(place: int, dtype: Any) -> Callable[[Any], Any]:
    def change(module: Any) -> Any:
        parameter = list(module.parameters())[place]
        parameter.data = parameter.data.to(dtype)
        return module

    return change


def _count(space: dict[str, Any], case: Path) -> int:
    made = space[code_of(case).symbol](*(space["get_init_inputs"]() if "get_init_inputs" in space else []))
    return len(list(made.parameters()))


def _space(path: Path) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "case"}
    exec(compile(path.read_bytes(), str(path), "exec"), space)
    return space


def outcome(
    space: dict[str, Any], symbol: str, variant: Variant, device: str, exact: bool = False
) -> list[Any] | Exception:
    """The result and the gradients, or what was raised. `exact`: the same numbers in fp64."""
    torch.manual_seed(0)
    target = space[symbol]
    parameters: list[Any] = []
    if inspect.isclass(target):
        target = variant.parameters(target(*(space["get_init_inputs"]() if "get_init_inputs" in space else [])))
        target = (target.double() if exact else target).to(device)
        parameters = list(target.parameters())
    torch.manual_seed(1)
    inputs = variant.inputs(space["get_inputs"]())
    inputs = cast(torch.float64)(inputs) if exact else inputs
    inputs = [item.to(device) if torch.is_tensor(item) else item for item in inputs]
    leaves = [item for item in inputs if torch.is_tensor(item) and item.is_floating_point()]
    leaves = [*parameters, *leaves]
    try:
        for leaf in leaves:
            leaf.requires_grad_(variant.gradients)
        out = target(*inputs)
        if not (variant.gradients and torch.is_tensor(out) and out.requires_grad):
            return [out]
        torch.manual_seed(2)
        out.backward(torch.randn(out.shape).to(out))
    except Exception as error:  # whatever the user's code raises
        return error
    return [out.detach(), *(leaf.grad for leaf in leaves)]


def compare(before: list[Any] | Exception, after: list[Any] | Exception, truth: list[Any] | Exception) -> str:
    """What differs for the worse, empty where nothing does. What raised before may do anything."""
    if isinstance(before, Exception):
        return ""
    if isinstance(after, Exception):
        return f"raises {type(after).__name__} {str(after).splitlines()[0][:120]}"
    undone = torch.is_tensor(before[0]) and (not before[0].numel() or bool(before[0].isnan().all()))
    if undone:  # there is nothing that gradients could be of
        return _shaped(before[0], after[0])
    if len(before) != len(after):  # gradients of zeros, and none at all, say the same: an empty loop left a constant
        shorter, longer = sorted((before, after), key=len)
        if any(item is not None and item.any() for item in longer[1:]):
            return "what has gradients has none, or the reverse"
        before, after = before[: len(shorter)], after[: len(shorter)]
    exact = truth if not isinstance(truth, Exception) and len(truth) == len(before) else [None] * len(before)
    for place, (one, two, true) in enumerate(zip(before, after, exact, strict=True)):
        what = _shaped(one, two) or _far(one, two, true)
        if what:
            return f"{f'gradient {place - 1}' if place else 'result'}: {what}"
    return ""


def _shaped(one: Any, two: Any) -> str:
    if one is None or two is None:  # a gradient of zeros may be none at all
        rest = two if one is None else one
        return "" if rest is None or not rest.any() else "a gradient where there was none, or the reverse"
    if not torch.is_tensor(one) or not torch.is_tensor(two):
        return "" if type(one) is type(two) else f"{type(one).__name__} became {type(two).__name__}"
    if (one.dtype, one.shape) != (two.dtype, two.shape):
        return f"{one.dtype} {tuple(one.shape)} became {two.dtype} {tuple(two.shape)}"
    return ""


def _far(one: Any, two: Any, true: Any) -> str:
    """After may be as far from the truth as before, several times over, or as some roundings of the result."""
    if not torch.is_tensor(one) or not torch.is_tensor(two) or not one.numel():
        return ""
    narrow = max(LOOSE.get(one.dtype, 0.0), INSIDE)
    true = true if torch.is_tensor(true) and true.shape == one.shape else one
    finite = true.double()[true.isfinite()].abs()
    scale = max(1.0, finite.max().item() if finite.numel() else 1.0)
    gap = _gap(two, true) / scale
    return f"off by {gap:.2g} of the largest" if gap > max(narrow, WORSE * _gap(one, true) / scale) else ""


def _gap(one: Any, true: Any) -> float:
    one, true = one.double(), true.double()
    gaps = (one - true).abs()[~(one == true) & ~(one.isnan() & true.isnan())]
    return gaps.nan_to_num(nan=torch.inf).max().item() if gaps.numel() else 0.0


def differs(before: dict[str, Any], after: dict[str, Any], symbol: str, variant: Variant, device: str) -> str:
    truth = outcome(before, symbol, variant, device, exact=True)
    return compare(outcome(before, symbol, variant, device), outcome(after, symbol, variant, device), truth)


@pytest.mark.parametrize("case", RUNNABLE, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_before_and_after_agree_on_other_inputs(case: Path) -> None:
    if case in WITH_KERNELS and importlib.util.find_spec("triton") is None:
        pytest.skip("triton is not installed")
    agree_everywhere(case, "cpu")


@pytest.mark.gpu
@pytest.mark.parametrize("case", WITH_KERNELS, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_kernels_agree_on_other_inputs(case: Path) -> None:
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):  # a convolution in fp32 is in TF32 by default
        agree_everywhere(case, "cuda")


def agree_everywhere(case: Path, device: str) -> None:
    symbol, before = code_of(case).symbol, _space(case / "before.py")
    for path in after_files(case):
        after = _space(path)
        found: dict[str, str] = {}
        for variant in variants(case):
            if variant.name in KNOWN.get(f"{case.parent.name}/{case.name}", ()):
                continue
            if device == "cuda" and isinstance(outcome(before, symbol, variant, "cpu"), Exception):
                continue  # what is raised on the device, of an index say, ends the process's use of it
            if what := differs(before, after, symbol, variant, device):
                found[variant.name] = what
        assert not found, path.name
