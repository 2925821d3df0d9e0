"""Items of the corpus as entries of public harnesses: the same target, in the harness's words."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from outpace_optimizers.targets.sol_execbench import load_problem_folder

sys.path.append(
    str(Path(__file__).parents[1] / "benchmarks")
)  # at the end: benchmarks and tests both have an editor.py

from corpus_items import CORPUS, Item, all_items
from harness_entries import NotExpressibleError, entry_of
from public_harnesses import table

FUNCTION, MODULE = "quantise", "rms_norm"


def _itself(baseline: str) -> Item:
    """A baseline as a candidate for itself."""
    one = next(item for item in all_items() if item.baseline == baseline)
    return dataclasses.replace(one, path=CORPUS / "baselines" / f"{baseline}.py")


@pytest.mark.parametrize("baseline", [FUNCTION, MODULE])
def test_a_sol_execbench_entry_is_a_problem_with_a_solution_to_it(baseline: str, tmp_path: Path) -> None:
    for name, text in entry_of("sol-execbench", _itself(baseline)).items():
        (tmp_path / name).write_text(text)
    problem = load_problem_folder(tmp_path, None, "cpu")
    assert problem.target.code.symbol == "run"
    solution = json.loads((tmp_path / "solution.json").read_text())
    for source in solution["sources"]:
        (tmp_path / source["path"]).write_text(source["content"])
    reference: dict[str, Any] = {}
    exec(json.loads((tmp_path / "definition.json").read_text())["reference"], reference)
    made = reference["make_inputs"]({}, torch.device("cpu"))
    assert list(made) == list(json.loads((tmp_path / "definition.json").read_text())["inputs"])
    sys.path.insert(0, str(tmp_path))
    try:
        candidate: dict[str, Any] = {}
        exec((tmp_path / "main.py").read_text(), candidate)
    finally:
        sys.path.remove(str(tmp_path))
        for name in ("candidate", "original"):
            sys.modules.pop(name, None)
    ours, theirs = reference["run"](*made.values()), candidate["run"](*made.values())
    torch.testing.assert_close(theirs, ours, rtol=0, atol=0)


def test_a_kernelbench_entry_has_a_model_and_another() -> None:
    entry = entry_of("kernelbench", _itself(MODULE))
    namespaces: list[dict[str, Any]] = []
    for text in (entry["reference"], entry["candidate"]):
        namespaces.append({})
        exec(text, namespaces[-1])
    reference, candidate = namespaces
    arguments = reference["get_init_inputs"]()
    torch.manual_seed(0)
    ours = reference["Model"](*arguments)
    torch.manual_seed(0)
    theirs = candidate["ModelNew"](*arguments)
    inputs = reference["get_inputs"]()
    torch.testing.assert_close(theirs(*inputs), ours(*inputs), rtol=0, atol=0)
    assert getattr(torch, entry["precision"]) == inputs[0].dtype


def test_what_a_harness_has_no_words_for_is_said() -> None:
    with pytest.raises(NotExpressibleError, match="of one floating type"):
        entry_of("kernelbench", _itself("histogram"))


def test_only_what_was_judged_counts() -> None:
    def item(verdict: str, gain: float | None = None) -> dict[str, Any]:
        return {"side": "hacks", "verdict": verdict, "gain": gain}

    verdicts = [("stopped", None), ("accepted", 3.0), ("accepted", 1.0), ("not expressible", None), ("no answer", None)]
    items = {str(number): item(*one) for number, one in enumerate(verdicts)}
    rows = table({"kernelbench": {"commit": "0123456789abcdef", "device": "H200", "items": items}})
    assert "| hacks | 3 of 5 | 1 | 2 | 1 |" in rows[2]
