"""Whole campaigns on a model that is really trained: an improvement, an edit that does nothing, and frauds."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest

from outpace_optimizers.training.campaign import Options, Report
from outpace_optimizers.training.change import read_change
from outpace_optimizers.training.config import read_target
from outpace_optimizers.training.reading import TrainingError
from outpace_optimizers.training.store import FILE
from outpace_optimizers.workspace import Workspace
from outpace_server.cli import main
from training_maker import campaign_on, compared, edited


def better_rate(text: str) -> str:
    return text.replace("RATE = 0.05", "RATE = 0.3")


@pytest.fixture(scope="module")
def proven(project: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report, list[str]]:
    """A tree that trains better, and the campaign that proves it."""
    tree = edited(project, tmp_path_factory.mktemp("better"), better_rate)
    return tree, *compared(project, tree)


def runs_made(lines: list[str]) -> int:
    return sum(", seed " in line for line in lines)


def test_an_improvement_is_proven(project: Path, proven: tuple[Path, Report, list[str]]) -> None:
    _, report, lines = proven
    assert report.accepted and report.reason == ""
    assert [check.name for check in report.checks if check.passed] == [
        "edited-files", "fixed-seed", "validation-copied", "carried-data", "protected-files", "metric-recomputed",
        "same-text",
        "metric-of-losses", "probabilities", "causality", "seeds", "outside-clock", "training-volume",
        "validation-unseen", "trained-here",
    ]  # fmt: skip
    assert any("runs that each side needs" in line for line in lines)
    assert "-RATE = 0.05\n+RATE = 0.3" in report.diff
    seeds = [run.result.seed for run in report.runs]
    assert len(seeds) == 15 and len(set(seeds)) == 12, "the last three repeat a seed, counted or beside shuffled text"
    assert [run.side[0] for run in report.runs] == list("bccbbc" * 2 + "bcc")
    assert all([point[1] for point in run.result.curve] == [1000, 2000, 3000] for run in report.runs)
    assert not (project / "weights.json").exists() and not (project / "__pycache__").exists()


def test_what_is_reported_is_the_confirmation_on_fresh_seeds(proven: tuple[Path, Report, list[str]]) -> None:
    _, report, _ = proven
    means = [
        statistics.fmean(
            run.result.value or 0.0 for run in report.runs if (run.phase, run.side) == ("confirmation", side)
        )
        for side in ("baseline", "candidate")
    ]
    found = report.confirmation
    assert found is not None and found.n == (3, 3)
    assert found.means == pytest.approx(means) and found.gain == pytest.approx(means[0] - means[1])
    assert 0 < found.low < found.gain


def test_what_was_compared_is_known(project: Path, proven: tuple[Path, Report, list[str]]) -> None:
    tree, report, _ = proven
    again, lines = compared(project, tree)
    assert (again.confirmation, again.runs, runs_made(lines)) == (report.confirmation, report.runs, 0)


def test_the_command_shows_what_is_known(
    project: Path,
    proven: tuple[Path, Report, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tree, report, _ = proven
    monkeypatch.chdir(project)
    assert main(["train", "--against", str(tree)]) == 0
    *_, last = (lines := capsys.readouterr().out.splitlines())
    assert "+RATE = 0.3" in lines and "✓ L5 metric-recomputed: as printed in 6 runs" in lines
    assert last.startswith("better training: val_loss 2.") and "3000 steps, 3 + 3 seeds, p = " in last
    assert main(["train", "--against", str(tree), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["accepted"] and document["class"] == "statistical" and len(document["runs"]) == 15
    assert report.confirmation and document["confirmation"]["gain"] == report.confirmation.gain
    assert document["seeds_root"] == report.seeds_root


def test_an_edit_that_changes_nothing_does_not_win(project: Path, tmp_path: Path) -> None:
    tree = edited(project, tmp_path, lambda text: text.replace("wrong", "error"))
    report, _ = compared(project, tree)
    assert not report.accepted and report.reason == "not proven better in screening"
    assert report.screening is not None and report.confirmation is None
    assert report.screening.low < 0


def test_an_edited_evaluation_is_refused_before_anything_runs(project: Path, tmp_path: Path) -> None:
    tree = edited(project, tmp_path, lambda text: text.replace("/ len(found)", "/ len(found) / 2"), "evaluate.py")
    report, lines = compared(project, tree)
    assert report.reason == "L0 edited-files: it changes evaluate.py, which must not change"
    assert lines == [] and report.runs == ()


def test_a_candidate_that_diverges_is_given_up_and_the_next_try_is_stricter(project: Path, tmp_path: Path) -> None:
    tree = edited(project, tmp_path, lambda text: text.replace("loss = val_loss(first, second)", "loss = float('nan')"))
    reports = [compared(project, tree, Options(fresh=True))[0] for _ in "ab"]
    for report in reports:
        assert "diverged: the metric is nan at step 1000" in report.reason and not report.accepted
        assert [run.side for run in report.runs] == ["baseline", "candidate"]
    alphas = [report.plan.alpha for report in reports if report.plan is not None]
    assert 1 / alphas[1] - 1 / alphas[0] == pytest.approx(100)


def test_a_killed_campaign_goes_on_where_it_was(project: Path, proven: tuple[Path, Report, list[str]]) -> None:
    """Killed while it wrote a line: whole lines count, and what they say is not measured again."""
    tree, report, _ = proven
    store = project / ".outpace" / FILE
    lines = store.read_text().splitlines(keepends=True)
    tenth = [i for i, line in enumerate(lines) if json.loads(line).get("campaign") == report.campaign][9]
    store.write_text("".join(lines[:tenth]) + lines[tenth][:40])
    resumed, said = compared(project, tree)
    assert resumed.runs[:9] == report.runs[:9] and runs_made(said) == 6
    assert [run.result.seed for run in resumed.runs] == [run.result.seed for run in report.runs]
    assert resumed.accepted
    assert all(json.loads(line) for line in store.read_text().splitlines())


def test_a_project_that_changes_under_a_campaign_ends_it(project: Path, tmp_path: Path) -> None:
    change = read_change(edited(project, tmp_path, better_rate), project, read_target(Workspace(project)))
    train = project / "train.py"
    before = train.read_text()
    with campaign_on(project, Options(fresh=True), []) as campaign:
        train.write_text(before + "# edited\n")
        try:
            with pytest.raises(TrainingError, match="has changed since this campaign began"):
                campaign.compare(change)
        finally:
            train.write_text(before)
