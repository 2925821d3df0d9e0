"""`optimize --overnight`, `progress` and `apply`: what is printed, what the page has, what is left to be applied."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import SOURCE, fake_report, make_engine

from outpace_audit.errors import JudgeError
from outpace_audit.records import content_id
from outpace_optimizers.ledger import Ledger
from outpace_optimizers.records import Cost, Listener, OptimizeRequest, Report, StageEvent, TrialFinished, TrialStarted
from outpace_optimizers.stored_trial import StoredTrial
from outpace_optimizers.workspace import Workspace
from outpace_server.cli import main

FUNCTION = """def {name}(x):
    y = x * {factor}
    return y + 1


def get_inputs_{name}():
    return [torch.ones(3)]


"""
TWO = "import torch\n\n\n" + FUNCTION.format(name="left", factor=2) + FUNCTION.format(name="right", factor=3)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "work.py").write_text(SOURCE)
    (tmp_path / "two.py").write_text(TWO)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def measured(request: OptimizeRequest, listener: Listener) -> Report:
    """Each target has a win and a rejection, kept in the ledger as the engine would."""
    path, name = Path(request.path), request.target or ""
    text = path.read_text()
    new = text.replace("x + 1", "x.add(1)") if name == "work" else _changed(text, name)
    report = fake_report(request, new)
    code = replace(report.target.code, symbol=name)
    trials = tuple(
        replace(
            trial, cost=Cost(3.0),
            verdict=replace(trial.verdict, id=content_id(name, number)),
            idea=replace(trial.idea, title=f"<b>{trial.idea.title}</b> of {name}"),
        )
        for number, trial in enumerate(report.trials)
    )  # fmt: skip
    target = replace(report.target, code=code)
    listener(StageEvent("probing"))
    with Ledger(Workspace.of(path).state) as ledger:
        for number, trial in enumerate(trials):
            listener(TrialStarted(number, len(trials), trial.idea.title))
            stored = StoredTrial(target, trial.idea, trial.verdict, False, "tolerant", 0, False, "", False)
            ledger.finish(f"{name}{number}", trial.verdict.id, asdict(stored))
            listener(TrialFinished(trial))
    return replace(report, target=target, trials=trials)


def _changed(text: str, name: str) -> str:
    factor = {"left": 2, "right": 3}[name]
    return text.replace(f"    y = x * {factor}\n    return y + 1", f"    return torch.add(x * {factor}, 1)")


def night(*arguments: str, status: int = 0) -> None:
    assert main(["optimize", ".", "--overnight", *arguments], make_engine(measured)) == status


def page(project: Path) -> str:
    html = (project / ".outpace/overnight.html").read_text()
    return unescape(re.sub(r"<[^>]*>", " ", html))


def test_all_targets_are_measured_and_the_page_says_what_came_of_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    night()
    said = capsys.readouterr().out
    assert "the night begins: 3 targets" in said
    assert "stopped: nothing is left to try on any target" in said
    assert re.search(r"per verified win: 6 seconds of judging, over 3 accepted changes", said)
    assert "two.py: left: 2 tried; best: " in said and "no more ideas" in said
    text = page(project)
    for words in (
        "Ended", "stopped: nothing is left", "two.py: right", "1.42× [1.38, 1.46]", "L2 error-against-truth",
        "wrong by far", "6 seconds of judging", f"outpace apply {content_id('left', 0)}", "All 2 trials", "Test CPU",
    ):  # fmt: skip
        assert words in text, words
    assert re.search(r"Who found it .*torch-compile\s+6\s+3\s+18\s+6\s", text), text
    html = (project / ".outpace/overnight.html").read_text()
    assert "&lt;b&gt;" in html and "[bold]" in html, "titles are text, whoever wrote them"
    assert not re.search(r"<script|<img|src=|href=|http-equiv=.refresh", html)
    assert html.count('role="img"') == 3 and html.count('class="won"') == 3 and html.count('class="cross"') == 3
    assert html.count("<title>") == 1 + 6, "each trial's mark says what it is"


def test_json_is_one_document(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    night("--json")
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["final"] and document["wins"] == 3 and document["judged_s"] == 18.0
    assert {target["target"]: target["best"] for target in document["targets"]} == {
        name: content_id(name, 0) for name in ("left", "right", "work")
    }
    assert main(["progress", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["night"] == document["night"]


def test_the_best_of_each_target_is_applied_also_two_in_one_file(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    night()
    assert (project / "two.py").read_text() == TWO, "nothing is written unasked"
    capsys.readouterr()
    assert main(["apply"]) == 0
    said = capsys.readouterr().out
    assert (project / "two.py").read_text() == _changed(_changed(TWO, "left"), "right")
    assert (project / "work.py").read_text() == SOURCE.replace("x + 1", "x.add(1)")
    assert f"the file is not the one that was measured: `outpace check {content_id('right', 0)}`" in said
    assert main(["apply", content_id("left", 0)]) == 0
    assert "has it already" in capsys.readouterr().out


def test_apply_at_the_end_of_a_night(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    night("--apply")
    assert capsys.readouterr().out.count("applied to") == 3
    assert "x.add(1)" in (project / "work.py").read_text()


def test_what_was_rejected_or_has_changed_is_not_applied(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    night()
    assert main(["apply", content_id("work", 1)]) == 2
    (project / "work.py").write_text(SOURCE.replace("x + 1", "x + 2"))
    assert main(["apply", content_id("work", 0)]) == 2
    error = capsys.readouterr().err
    assert "is a rejection" in error and "has changed where the change is" in error
    assert main(["apply"]) == 2, "the others are written, and the status says that one was not"
    assert "not applied: " in capsys.readouterr().out
    assert (project / "two.py").read_text() != TWO


def test_an_interrupted_night_leaves_what_it_found(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(request: OptimizeRequest, listener: Listener) -> Report:
        report = measured(request, listener)
        if request.target == "right":
            raise KeyboardInterrupt
        return report

    assert main(["optimize", ".", "--overnight"], make_engine(interrupted)) == 130
    assert "stopped by you; the same command goes on with it" in capsys.readouterr().out
    assert "stopped by you" in page(project)
    assert main(["apply"]) == 0
    assert (project / "two.py").read_text() == _changed(_changed(TWO, "left"), "right")
    assert "work.py" not in page(project)


def test_nothing_measured_is_a_failure_and_no_night_is_an_error(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["progress"]) == 2 and main(["apply"]) == 2

    def failing(request: OptimizeRequest, listener: Listener) -> Report:
        raise JudgeError("the judge ended")

    assert main(["optimize", ".", "--overnight"], make_engine(failing)) == 2
    said = capsys.readouterr()
    assert "there was no night" in said.err and "not measured: the judge ended" in said.out


def test_pause_and_resume_say_what_they_did(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pause"]) == 0 and (project / ".outpace/paused").exists()
    assert main(["resume"]) == 0 and not (project / ".outpace/paused").exists()
    assert main(["resume"]) == 0
    assert capsys.readouterr().out.endswith("nothing was paused\n")
