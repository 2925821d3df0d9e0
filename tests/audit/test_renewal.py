"""Input makers that ignore the seed: what is drawn instead of their constants, and when nothing can be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from outpace_audit.auditing import Options
from outpace_audit.errors import NothingVaries
from outpace_audit.fitting import laws_for
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import ArgSpec, Code, Workload

ROTARY = """
import torch

def make(axes, device):
    length = axes["length"]
    steps = torch.arange(16, dtype=torch.float32, device=device)
    at = torch.arange(length, device=device).expand(2, -1).contiguous()
    return {"at": at, "rate": 0.5 ** steps, "most": float("inf")}

def run(at, rate, most):
    angle = at[..., None] * rate
    return torch.cat((angle, angle), -1).cos().clamp(max=most)
"""
PACKED = """
import torch

def make(axes, device):
    ends = torch.arange(0, 65, 8, device=device)
    return {"x": torch.ones(64, 8, device=device), "ends": ends}

def run(x, ends):
    return torch.stack([x[a:b].sum(0) for a, b in zip(ends.tolist(), ends.tolist()[1:])])
"""
COUNTS = """
import torch

def make(axes, device):
    return {"x": torch.randn(8, device=device), "counts": torch.tensor([3, 5], device=device)}

def run(x, counts):
    return torch.zeros(int(counts[0]), int(counts[1]))
"""


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    state = tmp_path_factory.mktemp("state") / ".outpace"
    with Judge("cpu", arm_launcher(state, project=state.parent), state) as judge:
        yield judge


def code(text: str, folder: Path) -> Code:
    return Code(str(folder / "reference.py"), text, "run", "function")


def workload(*names: str, length: int = 32) -> Workload:
    args = tuple(ArgSpec(name, () if name != "most" else None, None) for name in names)
    axes = {"length": length}
    return Workload(f"length={length}", "custom", "benchmark", args, entry="make", axes=axes)


def test_positions_and_rates_are_drawn_and_a_remembered_result_is_found(judge: Judge, tmp_path: Path) -> None:
    facts = judge.set_target(code(ROTARY, tmp_path), [workload("at", "rate", "most")])
    (note,) = (one for one in facts.notes if "drawn anew" in one)
    assert "at by permutation" in note and "as they are made: rate" in note
    assert facts.workloads[0].inspected["inputs"][0]["varies"]
    kept = code(
        ROTARY.replace("    angle =", "    at = torch.arange(at.shape[1]).expand(2, -1)\n    angle ="), tmp_path
    )
    options = Options(last="L3", screen=False)
    assert judge.audit(code(f"{ROTARY}\nother = 1\n", tmp_path), options=options).failed is None
    failed = judge.audit(kept, options=options).failed
    assert failed is not None and failed.name == "outputs-against-truth"


def test_offsets_keep_their_order_and_ends(judge: Judge, tmp_path: Path) -> None:
    facts = judge.set_target(code(PACKED, tmp_path), [workload("x", "ends")], scouts=False)
    (note,) = facts.notes
    assert "x by normal" in note and "ends by sorted_integers" in note


def test_a_workload_of_which_nothing_varies_is_left_out(judge: Judge, tmp_path: Path) -> None:
    both = [workload("at", "rate", "most", length=1), workload("at", "rate", "most")]
    single = code(ROTARY.replace("0.5 ** steps", "0.0 * steps[:1]"), tmp_path)
    with pytest.raises(NothingVaries, match="no result changes"):
        judge.set_target(single, both[:1], scouts=False)
    one = code(ROTARY.replace("0.5 ** steps", "(0.5 ** steps)[:length - 1]"), tmp_path)
    facts = judge.set_target(one, both, scouts=False)
    assert [known.workload.label for known in facts.workloads] == ["length=32"]
    assert any(note.startswith("left out: length=1: ") for note in facts.notes)


def test_a_target_that_returns_nothing_is_judged_by_what_it_leaves(judge: Judge, tmp_path: Path) -> None:
    text = """import torch
def run(kept, added):
    kept.add_(added)
def get_inputs():
    return [torch.randn(8, 8), torch.ones(8, 8)]
"""
    drawn = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
    facts = judge.set_target(Code(str(tmp_path / "update.py"), text, "run", "function"), [drawn], scouts=False)
    assert facts.workloads[0].updated


def test_a_list_that_is_updated_varies_though_its_result_does_not(judge: Judge, tmp_path: Path) -> None:
    text = """import torch
def run(grads, scale):
    for grad in grads:
        grad.div_(scale)
    return torch.stack([grad.isfinite().all() for grad in grads]).all()
def get_inputs():
    return [[torch.randn(8, 8), torch.randn(4)], torch.tensor(64.0)]
"""
    drawn = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
    facts = judge.set_target(Code(str(tmp_path / "grads.py"), text, "run", "function"), [drawn], scouts=False)
    assert facts.workloads[0].updated == (0, 1)


def test_sizes_that_nothing_can_be_drawn_for_are_refused(judge: Judge, tmp_path: Path) -> None:
    with pytest.raises(NothingVaries, match="make them depend on the seed"):
        judge.set_target(code(COUNTS, tmp_path), [workload("x", "counts")], scouts=False)


def test_laws_stay_within_the_range_of_what_was_made() -> None:
    kinds = {
        "permutation": torch.arange(12).expand(3, -1),
        "sorted_integers": torch.tensor([0, 3, 3, 9]),
        "integers": torch.tensor([4, 1, 7, 7]),
    }
    for kind, tensor in kinds.items():
        laws = laws_for(tensor)
        assert laws[0].kind == kind
        for law in laws[1:]:
            assert law.params["low"] == int(tensor.min()) and law.params["high"] == int(tensor.max()) + 1
    assert not laws_for(torch.full((8,), 3)) and not laws_for(torch.ones(8)) and not laws_for(torch.tensor(5))
