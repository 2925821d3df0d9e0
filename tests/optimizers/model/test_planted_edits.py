"""The edits of benchmarks/model_search.py are worth what they say, and its model goes on where a run was stopped."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

# At the end: benchmarks and tests both have an editor.py.
sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from model_search import Kept, model_that_knows
from model_search_edits import BODY, GAINS, TARGET, Edit, null_edits, planted_edits

from model_server import Refusal
from outpace_optimizers.model.answers import idea_of
from outpace_optimizers.model.client import Answer
from outpace_optimizers.model.normalised import fingerprint
from outpace_optimizers.source import parse

SOURCE = parse("attention.py", TARGET)


def result(edit: Edit | None, inputs: list[Any]) -> Any:
    names: dict[str, Any] = {}
    exec(TARGET if edit is None else TARGET.replace(BODY, edit.body), names)
    return names["attention"](*inputs)


@pytest.mark.parametrize("edits", [null_edits(200), planted_edits(200, 1, 10)], ids=["null", "planted"])
def test_all_are_different_changes_and_worth_what_they_say(edits: list[Edit]) -> None:
    assert len({fingerprint(TARGET.replace(BODY, edit.body)) for edit in edits} - {fingerprint(TARGET)}) == 200
    inputs = [torch.randn(1, 64, 4, 4) for _ in range(3)]
    expected = result(None, inputs)
    for edit in edits:
        found = result(edit, inputs)
        if edit.worth == "nothing":
            assert torch.equal(found, expected), edit
        assert torch.allclose(found, expected, atol=1e-5) == (edit.worth != "wrong"), edit


def test_of_200_ten_are_gains() -> None:
    edits = planted_edits(200, 1, 10)
    assert {edit.body for edit in edits if edit.worth == "gain"} == {*GAINS}
    assert [edit.body for edit in planted_edits(200, 2, 10)] != [edit.body for edit in edits]


def test_the_model_proposes_each_once_and_goes_on_after_what_was_tried() -> None:
    edits = planted_edits(6, 1, 1)
    answer = model_that_knows(edits)
    asked = {
        "messages": [{"content": "1. edit 0 (by openai/scripted) (model): rejected\n2. edit 3 (by openai/scripted)"}]
    }
    titles: list[str] = []
    for _ in range(4):
        reply = answer(asked)
        assert isinstance(reply, str)
        titles.append(idea_of(Answer(reply, False, None, None), SOURCE, "attention", "openai/scripted", ()).title)
    assert [int(re.findall(r"\d+", title)[0]) for title in titles] == [1, 2, 4, 5]
    assert isinstance(answer(asked), Refusal)
    assert json.loads(str(model_that_knows(edits)({"messages": []})))["title"] == "edit 0"


def test_outcomes_of_a_run_that_was_ended_count_for_the_same_edits_alone(tmp_path: Path) -> None:
    edits, of = null_edits(3), {"test": "null", "auditor": "1"}
    first = Kept(tmp_path / "kept.json", of, edits)
    first.outcomes[1] = {"edit": 1, "accepted": True, "level": None, "failed": None, "reason": "faster"}
    assert first.write({"stop": "goes on"})["false_wins"] == [1]
    again = Kept(tmp_path / "kept.json", of, edits)
    assert [edit.number for edit in again.left] == [0, 2]
    assert again.write({})["false_wins"] == [1]
    assert len(Kept(tmp_path / "kept.json", of | {"auditor": "2"}, edits).left) == 3
