"""The edits of benchmarks/model_search.py are worth what they say, and its model goes on where a run was stopped."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch

# At the end: benchmarks and tests both have an editor.py.
sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from model_search import Kept, model_that_knows
from model_search_edits import BODY, GAINS, TARGET, Edit, null_edits, planted_edits
from model_search_parts import Part, on_its_own, run_all, shares

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


def kept(path: Path, count: int, part: str | None = None) -> Kept:
    return Kept(path, {"test": "null"}, null_edits(count), None if part is None else Part.read(part))


def won(numbers: Iterable[int]) -> dict[int, dict[str, Any]]:
    return {one: {"edit": one, "accepted": True, "level": None, "failed": None, "reason": ""} for one in numbers}


def test_parts_have_each_edit_once_leave_what_is_known_and_are_put_together(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    whole = kept(path, 7)
    whole.outcomes |= won([1])
    whole.write({})
    parts = [kept(path, 7, f"{number}/3") for number in (1, 2, 3)]
    assert [[edit.number for edit in one.left] for one in parts] == [[0, 3, 6], [4], [2, 5]]
    for one in parts:
        one.outcomes |= won(edit.number for edit in one.left)
        assert one.write({})["complete"]
    for number in range(3):
        whole.take(Part(number, 3))
    assert whole.write({})["complete"]
    assert sorted(whole.outcomes) == [*range(7)]
    assert not kept(path, 7, "1/3").left


def test_parts_have_whole_cores_of_their_own() -> None:
    def siblings(one: int) -> tuple[int, int]:
        return one // 4 % 2, one % 8

    found = shares(range(16), 3, siblings)
    assert found == [[0, 8, 1, 9], [2, 10, 3, 11], [4, 12, 5, 13]]
    with pytest.raises(ValueError, match="9 parts at once are too many for 8 cores"):
        shares(range(16), 9, siblings)
    for text in ("0/3", "4/3", "x"):
        with pytest.raises(ValueError):
            Part.read(text)


def test_a_part_runs_on_its_processors_with_a_lease_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/before")
    before = os.sched_getaffinity(0)
    with on_its_own(Part(0, 1)) as mine:
        assert os.sched_getaffinity(0) == {*mine} <= before
        assert Path(os.environ["XDG_RUNTIME_DIR"]).is_dir()
    assert (os.sched_getaffinity(0), os.environ["XDG_RUNTIME_DIR"]) == (before, "/before")


def test_parts_run_at_the_same_time_and_all_that_they_say_is_heard(tmp_path: Path) -> None:
    """Each waits until the other has begun."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os, pathlib, sys\nmine = sys.argv[-1].partition('/')[0]\nfolder = pathlib.Path(sys.argv[1])\n"
        "(folder / mine).touch()\nwhile len([*folder.iterdir()]) < 2:\n    os.sched_yield()\n"
        "print(mine)\nraise SystemExit(int(mine))\n"
    )
    folder = tmp_path / "begun"
    folder.mkdir()
    heard: list[str] = []
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one processor")
    codes = run_all(script, [str(folder)], 2, lambda part, line: heard.append(f"{part} {line}"))
    assert codes == [1, 2]
    assert sorted(heard) == ["1/2 1", "2/2 2"]
