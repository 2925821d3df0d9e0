"""What a session does where the memory does not last for all workloads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pytest

from outpace_audit.errors import OutOfResources
from outpace_audit.fewer import helps_to_leave_out, without_largest
from outpace_audit.records import ArgSpec, Code, Idea, Machine, Patch, Seeds, Workload
from outpace_optimizers.judge_client import JudgeClient
from outpace_optimizers.ledger import Ledger
from outpace_optimizers.records import OptimizeRequest
from outpace_optimizers.session import Session
from outpace_optimizers.source import base_hash
from outpace_optimizers.targets.loading import load_target
from outpace_optimizers.workspace import Workspace

DEFINITION: dict[str, Any] = {
    "name": "toy",
    "axes": {"n": {"type": "var"}},
    "inputs": {"x": {"shape": ["n"], "dtype": "float32"}},
    "outputs": {"y": {"shape": ["n"], "dtype": "float32"}},
    "reference": "def run(x):\n    return x + x\n",
}


class Client:
    """A judge that has room for one workload, and then not for the candidate."""

    python = "python3"

    def __init__(self) -> None:
        self.known: Sequence[Workload] = ()

    def target(self, code: Code, workloads: Sequence[Workload], *, inference: bool) -> dict[str, Any]:
        self.known = workloads
        facts = [{"workload": asdict(one)} for one in workloads]
        return {"workloads": facts, "seeds": asdict(Seeds("", "", {})), "trains": False, "truth": "", "notes": ()}

    def audit(self, *args: Any) -> None:
        side = "oracle" if len(self.known) > 1 else "candidate"
        raise OutOfResources(f"out of memory in the {side} during call; free some, or make the inputs smaller: no")


def test_the_largest_workloads_are_left_out_where_the_original_has_no_room(tmp_path: Path) -> None:
    (tmp_path / "definition.json").write_text(json.dumps(DEFINITION))
    lines = [{"uuid": str(n), "axes": {"n": n}, "inputs": {"x": {"type": "random"}}} for n in (64, 256, 128)]
    (tmp_path / "workload.jsonl").write_text("\n".join(map(json.dumps, lines)))
    target = load_target(tmp_path, None, "cpu")
    workspace = Workspace.of(tmp_path)
    workspace.prepare()
    machine = Machine("cpu", "a machine", "", "", 2, "3.11", "2.6", None, None, None)
    said: list[Any] = []
    client = Client()
    patch = Patch(target.code.path, base_hash(target.code.source), target.code.source.replace("x + x", "2 * x"), ())
    with Ledger(workspace.state) as ledger:
        session = Session(
            cast("JudgeClient", client), workspace, ledger, target, machine, OptimizeRequest(str(tmp_path)), said.append
        )
        with pytest.raises(OutOfResources, match="in the candidate"):
            session.try_idea(Idea("rule", "twice", "", "tolerant", patch))
    assert session.left_out == ("n=256", "n=128")
    assert [one.label for one in session.target.workloads] == ["n=64"] == [one.label for one in client.known]
    assert [line.split(":")[:2] for line in session.troubles] == [["left out", " n=256"], ["left out", " n=128"]]


def test_of_workloads_that_declare_no_shapes_the_last_goes() -> None:
    some = [Workload(label, "get_inputs", "declared", entry="get_inputs") for label in ("a", "b")]
    rest, largest = without_largest(some)
    assert (rest, largest) == ((some[0],), some[1])


def test_workloads_of_one_size_are_not_tried_one_after_the_other() -> None:
    def sized(*rows: int) -> list[Workload]:
        shapes = [(ArgSpec("x", (n, 8)), ArgSpec("weight", (1000, 8))) for n in rows]
        return [Workload(str(n), "laws", "benchmark", args) for n, args in zip(rows, shapes, strict=True)]

    assert helps_to_leave_out(sized(8, 2000))
    assert not helps_to_leave_out(sized(8, 16)) and not helps_to_leave_out(sized(8))
