"""Captured calls as targets: the law of each tensor, which target is chosen, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from outpace_audit.capture.statistics import describe_tensor, value_statistics
from outpace_audit.errors import TargetError
from outpace_audit.laws import draw, generator_for
from outpace_audit.records import ArgSpec, Law
from outpace_optimizers.captures import FOLDER, CapturedTarget, captured_in, keep
from outpace_optimizers.targets.captured_laws import law_of
from outpace_optimizers.targets.loading import load_target

SOURCE = """
import torch
from torch import nn


class Inner(nn.Module):
    def forward(self, x):
        return x


class Outer(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = Inner()

    def forward(self, x):
        return self.inner(x)


def helper(x, scale):
    return x * scale
"""


def law(*tensors: torch.Tensor) -> Law:
    dtype = str(tensors[0].dtype).removeprefix("torch.")
    return law_of([value_statistics(tensor) for tensor in tensors], dtype)


def drawn(found: Law, like: torch.Tensor) -> torch.Tensor:
    spec = ArgSpec("x", tuple(like.shape), str(like.dtype).removeprefix("torch."), found)
    value = draw(spec, generator_for(5, "x", "cpu"), "cpu")
    assert isinstance(value, torch.Tensor)
    return value


def causal(low: float, size: int = 6) -> torch.Tensor:
    return torch.full((size, size), low).triu(1)


@pytest.mark.parametrize(
    "tensors, kind",
    [
        ([torch.randn(64, 64), torch.randn(64, 64)], "normal"),
        ([torch.rand(64, 64)], "uniform"),
        ([torch.randn(8, 16).softmax(-1)], "softmax"),
        ([causal(float("-inf"))], "causal"),
        ([causal(-1e9)], "causal"),
        ([torch.ones(6, 6, dtype=torch.bool).tril()], "causal"),
        ([(torch.rand(32) > 0.3).float()], "choice"),
        ([torch.zeros(4)], "choice"),
        ([torch.rand(64) > 0.5], "bernoulli"),
        ([torch.randint(0, 99, (64,)), torch.randint(0, 99, (64,))], "integers"),
        ([torch.arange(9).expand(2, 9)], "arange"),
        ([torch.randperm(50)], "permutation"),
        ([torch.zeros(1, 1, dtype=torch.long)], "integers"),
        ([torch.tensor([0, 4, 9, 20]), torch.tensor([0, 7, 8, 20])], "sorted_integers"),
        ([torch.tensor([3, 1, 2]), torch.tensor([3, 1, 2])], "fixed"),
        ([torch.empty(0)], "normal"),
    ],
)
def test_the_law_keeps_what_the_values_mean(tensors: list[torch.Tensor], kind: str) -> None:
    found = law(*tensors)
    assert found.kind == kind
    again = drawn(found, tensors[0])
    assert (again.shape, again.dtype) == (tensors[0].shape, tensors[0].dtype)
    if kind in ("causal", "arange", "fixed"):
        assert torch.equal(again, tensors[0])
    elif again.numel():
        low, high = torch.cat(tensors).double().aminmax()
        assert ((again >= low) & (again <= high)).all() or kind == "softmax"


def test_ignored_labels_stay_apart_from_the_others() -> None:
    labels = torch.randint(0, 50, (400,))
    labels[::4] = -100
    again = drawn(law(labels), labels)
    assert set(again.tolist()) <= {-100, *range(50)}
    assert 0.15 < (again == -100).float().mean() < 0.35


def test_offsets_keep_their_ends() -> None:
    one, other = torch.tensor([0, 4, 9, 20]), torch.tensor([0, 7, 8, 20])
    again = drawn(law(one, other), one)
    assert (again[0], again[-1]) == (0, 20)
    assert torch.equal(again, again.sort().values)


def padded(width: int = 12, left: bool = False) -> torch.Tensor:
    """True where a sequence is."""
    kept = torch.arange(width) < torch.tensor([[5], [width], [9]])
    return kept.flip(-1) if left else kept


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize(
    "mask",
    [
        lambda kept: kept,
        lambda kept: kept.long(),
        lambda kept: (~kept).float()[:, None, None] * torch.finfo(torch.float32).min,
        lambda kept: torch.zeros(kept.shape).masked_fill(~kept, float("-inf")),
    ],
)
def test_no_drawn_sequence_is_all_padding(mask: Callable[[torch.Tensor], torch.Tensor], left: bool) -> None:
    seen = mask(padded(left=left))
    pad = mask(torch.zeros(1, 12, dtype=torch.bool)).reshape(-1)[0]
    found = law(seen)
    assert found.kind == "lengths"
    again = drawn(found, seen.new_empty(400, *seen.shape[1:]))
    short = drawn(found, seen.new_empty(400, 2))
    assert set(again.unique().tolist()) == set(seen.unique().tolist())
    assert not (again == pad).all(-1).any() and not (short == pad).all(-1).any()
    assert (again != pad).all(-1).any() and torch.equal(again[again != pad].unique(), seen[seen != pad].unique())
    steps = (again == pad).int().diff(dim=-1)
    assert bool((steps <= 0 if left else steps >= 0).all())


def test_a_call_without_padding_is_one_of_whole_rows() -> None:
    some = padded()[[0, 2]]
    assert law(some).params["all_first"] == 0
    assert law(some, torch.ones_like(some)).params["all_first"] == 1
    assert law(some, torch.rand(some.shape) > 0.5).kind == "bernoulli"


def test_positive_values_stay_positive() -> None:
    variance = torch.randn(4096).square() + 0.1
    assert drawn(law(variance), variance).min() >= 0.1


@pytest.mark.parametrize(
    "tensor",
    [
        torch.randn(4, 6).t(),
        torch.randn(2, 3, 4)[:, :, :2],
        torch.randn(1, 5).expand(4, 5),
        torch.randn(2, 3, 8, 8).to(memory_format=torch.channels_last),
        torch.randn(3, 1, 4).transpose(0, 1),
    ],
)
def test_strides_are_drawn_as_they_were(tensor: torch.Tensor) -> None:
    described = describe_tensor(tensor)
    spec = ArgSpec("x", tuple(described["shape"]), "float32", law(tensor), stride=tuple(described["stride"]))
    again = draw(spec, generator_for(5, "x", "cpu"), "cpu")
    assert isinstance(again, torch.Tensor)
    assert again.stride() == tensor.stride()
    assert again.unique().numel() > 3


def test_overlapping_views_become_contiguous() -> None:
    windows = torch.randn(10).as_strided((4, 3), (1, 1))
    spec = ArgSpec("x", (4, 3), "float32", Law("normal"), stride=windows.stride())
    again = draw(spec, generator_for(5, "x", "cpu"), "cpu")
    assert isinstance(again, torch.Tensor)
    assert again.is_contiguous()


def workload(*tensors: torch.Tensor, calls: int = 1, gradients: bool = True) -> dict[str, Any]:
    names = ["x", "scale"]
    return {
        "structure": {"positional": [{"leaf": i} for i in range(len(tensors))], "keywords": {}},
        "tensors": [{"name": name, **describe_tensor(t)} for name, t in zip(names, tensors, strict=False)],
        "gradients": gradients,
        "autocast": None,
        "calls": calls,
        "samples": [[value_statistics(t) for t in tensors]],
    }


def captured(path: Path, name: str, *workloads: dict[str, Any], **changes: Any) -> CapturedTarget:
    is_function = name == "helper"
    target = CapturedTarget(
        path=str(path.resolve()),
        name=name,
        kind="function" if is_function else "module",
        parameters=("x", "scale") if is_function else ("x",),
        calls=1,
        seconds=1.0,
        trouble=None,
        constructor=None if is_function else [f"work:{name}", {"list": []}, {"dict": []}],
        dtype=None,
        script=False,
        globals={},
        workloads=workloads or (workload(torch.randn(2, 3)),),
        further=0,
        command="python work.py",
    )
    return replace(target, **changes)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / ".outpace").mkdir()
    path = tmp_path / "work.py"
    path.write_text(SOURCE)
    return path


def kept(file: Path, *targets: CapturedTarget) -> Path:
    keep(file.parent / ".outpace", targets)
    return file


def test_the_outermost_module_is_chosen(file: Path) -> None:
    names = ("helper", "Inner", "Outer")
    found = load_target(kept(file, *(captured(file, name) for name in names)), None, "cpu")
    assert found.name == "Outer"
    assert found.code.captured is not None
    assert found.code.captured.constructor == ("work:Outer", {"list": []}, {"dict": []})
    assert [w.label for w in found.workloads] == ["x 2x3"]


def test_a_named_target_is_taken(file: Path) -> None:
    found = load_target(kept(file, captured(file, "Inner"), captured(file, "Outer")), "Inner", "cpu")
    assert found.name == "Inner"


def test_what_the_file_declares_wins(file: Path) -> None:
    kept(file, captured(file, "Outer"))
    file.write_text(SOURCE + "\ndef get_inputs():\n    return [torch.randn(2, 3)]\n")
    assert load_target(file, "Outer", "cpu").workloads[0].maker == "get_inputs"


def test_the_most_frequent_workloads_are_taken_and_training_first(file: Path) -> None:
    calls = [workload(torch.randn(n, 3), calls=n, gradients=n != 5) for n in (1, 5, 2, 3, 4)]
    found = load_target(kept(file, captured(file, "Outer", *calls)), None, "cpu")
    assert [w.label for w in found.workloads] == ["x 4x3", "x 3x3", "x 2x3"]
    assert not found.inference
    assert "3 of 5, the most frequent" in found.notes[0]


def test_calls_that_differ_in_plain_arguments_alone_have_labels_of_their_own(file: Path) -> None:
    def called(start: object, **keywords: object) -> dict[str, Any]:
        arguments = {"positional": [{"leaf": 0}, start], "keywords": keywords}
        return workload(torch.randn(2, 3)) | {"structure": arguments}

    calls = [called(8, causal=True), called(9, causal=True), called({"list": [8]})]
    found = load_target(kept(file, captured(file, "Outer", *calls)), None, "cpu")
    assert [w.label for w in found.workloads] == ["x 2x3, 8, causal=True", "x 2x3, 9, causal=True", "x 2x3"]
    calls = [called({"list": [1]}), called({"list": [2]}), workload(torch.randn(4, 3))]
    found = load_target(kept(file, captured(file, "Outer", *calls)), None, "cpu")
    assert [w.label for w in found.workloads] == ["x 2x3, #1", "x 2x3, #2", "x 4x3"]


def test_a_target_called_only_without_gradients_is_inference(file: Path) -> None:
    found = load_target(kept(file, captured(file, "Outer", workload(torch.randn(2), gradients=False))), None, "cpu")
    assert found.inference


def test_inputs_that_never_vary_are_drawn(file: Path) -> None:
    found = load_target(kept(file, captured(file, "Outer", workload(torch.zeros(2, 3)))), None, "cpu")
    assert found.workloads[0].args[0].law == Law("normal")


def test_a_start_token_is_no_workload_where_there_are_others(file: Path) -> None:
    """As in a script that trains and then writes text from token 0."""
    start, batch = torch.zeros(1, 1, dtype=torch.long), torch.randint(0, 65, (4, 16))
    second = torch.tensor([[0, 27]])
    seen = captured(file, "Outer", workload(start, calls=9), workload(second, calls=9), workload(batch, calls=2))
    target = load_target(kept(file, seen), None, "cpu")
    assert [one.args[0].shape for one in target.workloads] == [(4, 16)]
    alone = load_target(kept(file, captured(file, "Outer", workload(start))), None, "cpu")
    assert [one.args[0].shape for one in alone.workloads] == [(1, 1)]


def test_what_cannot_be_repeated_says_why(file: Path) -> None:
    kept(file, captured(file, "helper", trouble="it is called with a Generator"))
    with pytest.raises(TargetError, match="cannot be called again: it is called with a Generator"):
        load_target(file, "helper", "cpu")


def test_a_file_with_nothing_to_repeat_names_those_that_have(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    train = file.with_name("train.py")
    train.write_text("def estimate():\n    return 1\n")
    kept(file, captured(train, "estimate", parameters=(), trouble="it takes no tensor"))
    with pytest.raises(TargetError, match=r"train\.py: estimate was captured, but cannot be called again"):
        load_target(train, None, "cpu")
    kept(file, captured(file, "Outer"), captured(file.with_name("gone.py"), "Inner", seconds=9.0))
    with pytest.raises(TargetError, match=r"train\.py: nothing in it .* can be called again; what can is in work\.py$"):
        load_target(train, None, "cpu")


def test_a_changed_signature_asks_for_another_capture(file: Path) -> None:
    kept(file, captured(file, "helper", workload(torch.randn(2), torch.randn(2))))
    file.write_text(SOURCE.replace("helper(x, scale)", "helper(x, factor, scale)"))
    with pytest.raises(TargetError, match=r"outpace capture -- python work\.py"):
        load_target(file, "helper", "cpu")


def test_a_newer_capture_replaces_an_older_and_broken_files_are_passed_over(file: Path) -> None:
    state = file.parent / ".outpace"
    kept(file, captured(file, "Outer"), captured(file, "Inner", seconds=3.0))
    kept(file, captured(file, "Outer", seconds=5.0))
    prefix = next((state / FOLDER).iterdir()).name.partition("-")[0]
    for name, text in (("broken", '{"format": 1'), ("newer", '{"format": 99}'), ("other", "[]")):
        (state / FOLDER / f"{prefix}-{name}.json").write_text(text)
    assert [(one.name, one.seconds) for one in captured_in(state, file)] == [("Outer", 5.0), ("Inner", 3.0)]
