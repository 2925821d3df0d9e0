"""What `grouped-experts` writes computes what the loop did: any routing, any number of tokens, several dtypes."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from outpace_audit.records import Code
from outpace_optimizers.rules import grouped_experts
from outpace_optimizers.rules.grouped_experts import RULE

torch = pytest.importorskip("torch")

TRITON = ("triton", "triton.language", "triton.tools", "triton.tools.tensor_descriptor")
"""What a kernel's text imports; on the CPU nothing of it is used, and it need not be there."""
CASES = sorted((Path(__file__).parent / "golden" / "grouped-experts").glob("*/after.py"))


def spaces(case: Path) -> tuple[dict[str, Any], dict[str, Any], str]:
    found: list[dict[str, Any]] = []
    for path in (case.with_name("before.py"), case):
        found.append({"__name__": "case"})
        absent = importlib.util.find_spec("triton") is None
        stand_ins = {name: mock.MagicMock() for name in TRITON}
        with mock.patch.dict(sys.modules, stand_ins) if absent else nullcontext():
            exec(compile(path.read_text(), str(path), "exec"), found[-1])
    return found[0], found[1], case.with_name("before.py").read_text().splitlines()[0].removeprefix("# target: ")


def targets(case: Path, dtype: Any) -> tuple[Any, Any, Any]:
    before, after, name = spaces(case)
    one: Any = before[name]
    two: Any = after[name]
    if inspect.isclass(before[name]):
        torch.manual_seed(0)
        one, two = one().to(dtype), two().to(dtype)
        two.load_state_dict(one.state_dict())
    return one, two, before["get_inputs"]


def results(target: Any, given: list[Any]) -> list[Any]:
    """Values and gradients. What an expert that nobody chose has none of is zero."""
    inputs = [item.clone() if torch.is_tensor(item) else item for item in given]
    leaves = [item.requires_grad_() for item in inputs if torch.is_tensor(item) and item.is_floating_point()]
    leaves += list(target.parameters()) if isinstance(target, torch.nn.Module) else []
    out = target(*inputs)
    if not out.numel():
        return [out]
    (out * torch.linspace(-1, 1, out.numel(), dtype=out.dtype, device=out.device).view(out.shape)).sum().backward()
    return [out.detach(), *(torch.zeros_like(item) if item.grad is None else item.grad for item in leaves)]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("seed", range(4))
def test_any_routing_gives_what_the_loop_gave(case: Path, seed: int) -> None:
    kind = torch.float32 if case.parent.name == "upcast_weights" else torch.float64
    one, two, get_inputs = targets(case, kind)
    torch.manual_seed(seed)
    given = [item.to(kind) if torch.is_tensor(item) and item.is_floating_point() else item for item in get_inputs()]
    for expected, found in zip(results(one, given), results(two, given), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("tokens", [0, 1])
def test_of_no_token_and_of_one(case: Path, tokens: int) -> None:
    one, two, get_inputs = targets(case, torch.float32)
    torch.manual_seed(3)
    given = get_inputs()
    every = len(given[0])
    given = [item[:tokens] if torch.is_tensor(item) and len(item) == every else item for item in given]
    for expected, found in zip(results(one, given), results(two, given), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.parent.name)
def test_dtypes_are_those_of_the_loop(case: Path) -> None:
    one, two, get_inputs = targets(case, torch.bfloat16)
    torch.manual_seed(0)
    given = [item.bfloat16() if torch.is_tensor(item) and item.is_floating_point() else item for item in get_inputs()]
    for expected, found in zip(results(one, given), results(two, given), strict=True):
        assert found.dtype is expected.dtype
        torch.testing.assert_close(found, expected, atol=0.1, rtol=0.1)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.parent.name)
def test_autocast_is_obeyed(case: Path) -> None:
    one, two, get_inputs = targets(case, torch.float32)
    torch.manual_seed(0)
    given = get_inputs()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        try:
            expected = one(*given)
        except RuntimeError:  # the loop itself does not run so: it adds bf16 to fp32
            return
        found = two(*given)
    assert found.dtype is expected.dtype
    torch.testing.assert_close(found, expected, atol=0.1, rtol=0.1)


@pytest.mark.gpu
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.parent.name)
def test_the_kernel_computes_what_the_loop_did_and_waits_for_nothing(case: Path) -> None:
    one, two, get_inputs = targets(case, torch.bfloat16)
    torch.manual_seed(0)
    given = [item.cuda() if torch.is_tensor(item) else item for item in get_inputs()]
    given = [item.bfloat16() if torch.is_tensor(item) and item.is_floating_point() else item for item in given]
    one, two = (target.cuda() if isinstance(target, torch.nn.Module) else target for target in (one, two))
    for expected, found in zip(results(one, given), results(two, given), strict=True):
        torch.testing.assert_close(found, expected, atol=0.1, rtol=0.1)
    with torch.no_grad():
        expected = one(*given)
        two(*given)
        torch.cuda.set_sync_debug_mode("error")
        try:
            found = two(*given)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(found, expected, atol=0.1, rtol=0.1)


def pairs() -> Any:
    space: dict[str, Any] = {"torch": torch}
    exec(grouped_experts._TEXT, space)  # pyright: ignore[reportPrivateUsage]
    return space["SortedPairs"]


@pytest.mark.parametrize("shape", [(0,), (1,), (9,), (9, 3), (0, 2), (4, 3, 2)], ids=str)
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool", "float32"])
def test_pairs_are_where_each_expert_was_chosen(shape: tuple[int, ...], dtype: str) -> None:
    torch.manual_seed(0)
    chosen = torch.randint(0 if dtype in ("uint8", "bool") else -1, 7, shape).to(getattr(torch, dtype))
    chosen = chosen + 0.5 * (torch.rand(shape) < 0.2) if dtype == "float32" else chosen
    sorted_pairs, start = pairs()(chosen, 5), 0
    for expert, end in enumerate(sorted_pairs.ends.tolist()):
        expected = torch.where(chosen == expert)
        assert all(torch.equal(one[start:end], two) for one, two in zip(sorted_pairs.places, expected, strict=True))
        assert (sorted_pairs.expert[start:end] == expert).all()
        start = end
    assert start == int(sum((chosen == expert).sum() for expert in range(5)))


LOOP = """import torch
import torch.nn.functional as F


def experts(x, ids, w, b, out):
    for e in range(4):
        token, slot = torch.where(ids == e)
        {line}
    return out
"""


def written(line: str) -> str:
    found = [
        idea.patch.new_source for idea in RULE.propose(Code("m.py", LOOP.format(line=line), "experts", "function"))
    ]
    assert len(found) <= 1
    return "".join(found).partition("pairs.places\n")[2].partition("    return out")[0]


@pytest.mark.parametrize(
    ("value", "call"),
    [
        ("F.linear(x[token], w[e], b[e])", "pairs.linear(x[token], w, b)"),
        ("F.linear(x[token], w[e].t())", "pairs.linear(x[token], w.mT)"),
        ("x[token] @ w[e].T", "pairs.linear(x[token], w)"),
        ("x[token].mm(w[e].transpose(0, 1))", "pairs.linear(x[token], w)"),
        ("torch.matmul(x[token, :], w[e, :, :])", "pairs.linear(x[token, :], w.mT)"),
        ("x[token] @ w[e].to(torch.bfloat16)", "pairs.linear(x[token], w.to(torch.bfloat16).mT)"),
        ("F.linear(x[token].float(), w[e].float())", "pairs.upcast_linear(x[token], w)"),
        ("x[token].exp() @ w[e].to(torch.float32).mT", "pairs.upcast_linear(x[token].exp(), w)"),
        ("x[token].exp().float() @ w[e].t().float().T", "pairs.upcast_linear(x[token].exp().float(), w.mT)"),
        ("b[e] + F.linear(x[token], w[e])", "pairs.vectors(b) + pairs.linear(x[token], w)"),
    ],
)
def test_spellings_of_a_product(value: str, call: str) -> None:
    assert written(f"out.index_add_(0, token, {value})") == f"    pairs.add(out, {call}, 0)\n"


@pytest.mark.parametrize(
    "line",
    [
        "out.index_add_(1, token, F.linear(x[token], w[e]))",
        "out.index_add_(0, token, F.linear(x[token], w[e]), alpha=2)",
        "out.index_add_(0, slot + 1, F.linear(x[token], w[e]))",
        "out.index_add_(0, token, F.linear(x[token], w[e + 1]))",
        "out.index_add_(0, token, F.linear(x[token], w[0]))",
        "out.index_add_(0, token, F.linear(x[token], w[e].double()))",
        "out.index_add_(0, token, F.linear(x[token], w[e].float(), b[e].float()))",
        "out.index_add_(0, token, F.linear(x[token], w[e].float().bfloat16()))",
        "out.index_add_(0, token, F.linear(x[token], w[e].softmax(0)))",
        "out.index_add_(0, token, F.linear(x[token], w[e]) * e)",
        "out.index_add_(0, token, F.linear(x[token], w[e]).cumsum(0))",
        "out.index_add_(0, token, F.linear(x[token], w[e])[:4])",
        "out.index_add_(0, token, F.linear(x[token].view(-1, 8), w[e]))",
        "out.index_add_(0, token, F.linear(x[token].relu_(), w[e]))",
        "out.index_add_(0, token, F.relu(F.linear(x[token], w[e]), inplace=True))",
        "out.index_add_(0, token, F.linear(x[None, token], w[e])[0])",
        "y = F.linear(x[token], w[e]); y.index_add_(0, token, F.linear(x[token], w[e]))",
        "out.index_add_(0, token, F.linear(x[token], w[e])); out = x[token]",
        "out.index_copy_(0, token, F.linear(x[token], w[e]))",
        "out.index_add_(0, token, F.linear(x[token], w[e])); print(e)",
        "x.index_add_(0, token, F.linear(x[token], w[e]))",
    ],
)
def test_what_means_something_else_is_left_alone(line: str) -> None:
    assert written(line) == ""


def test_vectors_of_no_width_reach_no_embedding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its backward pass on CUDA takes their stride for their width, and writes where there is no memory."""
    space: dict[str, Any] = {"torch": torch}
    exec(grouped_experts._TEXT, space)  # pyright: ignore[reportPrivateUsage]
    plain, widths = torch.nn.functional.embedding, list[int]()

    def embedding(places: Any, table: Any) -> Any:
        widths.append(table.shape[1])
        return plain(places, table)

    monkeypatch.setattr(torch.nn.functional, "embedding", embedding)
    pairs = space["SortedPairs"](torch.tensor([2, 0, 5, 2]), 3)
    for width in (0, 4):
        bias = torch.randn(3, width, requires_grad=True)
        out = pairs.vectors(bias)
        out.sum().backward()
        assert out.shape == (4, width) and bias.grad is not None and bias.grad.shape == bias.shape
    assert widths == [4]
