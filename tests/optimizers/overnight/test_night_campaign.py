"""Whose turn it is, for how long, when a target is left, and what is left after any kind of end."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from nights import PLACES, night_on, report, trial

from outpace_audit.errors import EngineError, JudgeError, TargetError
from outpace_optimizers.overnight.campaign import FAILURES, OUTSIDE, SHORTEST_TURN_S, newest_night, only_one, share_of
from outpace_optimizers.overnight.clock import TICK_S, Clock
from outpace_optimizers.records import Listener, ModelRequest, OptimizeRequest, Report, StageEvent, TrialFinished
from outpace_optimizers.workspace import Workspace

HOUR = 3600.0


def names(asked: list[OptimizeRequest]) -> list[str | None]:
    return [request.target for request in asked]


def test_targets_share_what_is_left_and_those_whose_time_was_spent_have_another_turn(tmp_path: Path) -> None:
    asked: list[OptimizeRequest] = []

    def measure(request: OptimizeRequest, listener: Listener) -> Report:
        asked.append(request)
        first = sum(one.target == request.target for one in asked) == 1
        if request.target == "one" and first:
            return report(request, stop="the time budget is spent", ending="time")
        return report(request, stop="plateau: 8 ideas in a row")

    night = night_on(tmp_path, measure, budget_s=3 * HOUR)
    assert names(asked) == ["one", "two", "three", "one"]
    shares = [request.budget_s / HOUR for request in asked]
    assert shares == pytest.approx([1.0, 1.0, 1.5, 3.0], rel=0.01), "what a target does not use is for the others"
    assert night.stop == "nothing is left to try on any target" and night.final
    assert {target.place.name: target.stop for target in night.targets}["one"] == "plateau: 8 ideas in a row"


@pytest.mark.parametrize(
    ("gains", "shares"),
    [
        ((None, None, None), (1 / 3, 1 / 3, 1 / 3)),
        ((0.3, 0.1, 0.1), (0.6, 0.2, 0.2)),
        ((0.3, 0.1, None), (0.5, 1 / 6, 1 / 3)),
        ((0.5, 0.0, 0.0), (1.0, 0.0, 0.0)),
        ((0.0, None, 0.0), (1 / 3, 1 / 3, 1 / 3)),
    ],
)
def test_time_is_shared_by_what_could_be_gained(gains: tuple[float | None, ...], shares: tuple[float, ...]) -> None:
    places = [replace(place, gain=gain) for place, gain in zip(PLACES, gains, strict=True)]
    assert [share_of(place, places) for place in places] == pytest.approx(shares)


def test_a_turn_is_given_its_share_and_never_less_than_one_idea_takes(tmp_path: Path) -> None:
    asked: list[OptimizeRequest] = []

    def measure(request: OptimizeRequest, listener: Listener) -> Report:
        asked.append(request)
        return report(request)

    places = [replace(place, gain=gain) for place, gain in zip(PLACES, (0.6, 0.2, 0.0), strict=True)]
    night = night_on(tmp_path, measure, budget_s=4 * HOUR, places=places)
    assert [request.budget_s for request in asked[:2]] == pytest.approx([3 * HOUR, 4 * HOUR], rel=0.01)
    assert asked[2].budget_s == pytest.approx(4 * HOUR, rel=0.01), "there is nobody left to share with"
    assert [target.place.gain for target in night.targets] == [0.6, 0.2, 0.0], "why, is on record"
    assert [target.given_s for target in night.targets] == [request.budget_s for request in asked]


def test_a_target_without_anything_to_gain_still_has_a_turn(tmp_path: Path) -> None:
    asked: list[OptimizeRequest] = []

    def measure(request: OptimizeRequest, listener: Listener) -> Report:
        asked.append(request)
        return report(request)

    places = [replace(PLACES[0], gain=0.0), replace(PLACES[1], gain=0.2)]
    night_on(tmp_path, measure, places=places)
    assert asked[0].budget_s == SHORTEST_TURN_S


def test_a_target_that_cannot_be_measured_is_left_at_once_and_one_that_fails_after_a_few_turns(tmp_path: Path) -> None:
    asked: list[OptimizeRequest] = []

    def measure(request: OptimizeRequest, listener: Listener) -> Report:
        asked.append(request)
        if request.target == "one":
            raise TargetError("no get_inputs()")
        if request.target == "two":
            raise JudgeError("the judge ended")
        return report(request, stop="the model is not asked any more: Timeout", ending="failed")

    night = night_on(tmp_path, measure)
    assert [names(asked).count(name) for name in ("one", "two", "three")] == [1, FAILURES, FAILURES]
    assert all(target.done for target in night.targets)
    assert night.targets[0].stop == "not measured: no get_inputs()"


def test_a_spent_budget_begins_no_turn_and_says_what_is_not_done(tmp_path: Path) -> None:
    night = night_on(tmp_path, lambda request, listener: report(request, ending="time"), budget_s=1e-9)
    assert night.targets == () and night.stop == "the time budget is spent, 3 of 3 targets are not done"


def test_a_killed_night_goes_on_with_what_it_had_spent_and_repeats_no_target_that_was_done(tmp_path: Path) -> None:
    script = Path(__file__).with_name("nights.py")
    with subprocess.Popen([sys.executable, str(script), str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "in the middle" in process.stdout.readline()
        process.kill()
    known = newest_night(Workspace(tmp_path).state)
    assert known is not None
    before, running = known
    assert not running and before.stop == OUTSIDE and not before.final
    assert before.spent_s >= TICK_S, "time is counted ahead of a kill"
    assert [target.best is not None for target in before.targets] == [True, True], "accepted edits outlive the kill"

    asked: list[OptimizeRequest] = []

    def measure(request: OptimizeRequest, listener: Listener) -> Report:
        asked.append(request)
        known_since = trial(request.target or "", 1, 1.5)
        listener(TrialFinished(known_since))
        return report(request, known_since)

    after = night_on(tmp_path, measure)
    assert after.name == before.name
    assert names(asked) == ["three", "two"], "the one that was interrupted has had a turn"
    assert after.spent_s >= before.spent_s
    assert [len(target.dots) for target in after.targets] == [1, 1, 1], "a verdict is written down once"
    asked.clear()
    assert night_on(tmp_path, measure).name != before.name, "one that came to its end is followed by another"
    assert names(asked) == ["one", "two", "three"]


def test_ctrl_c_leaves_a_night_that_goes_on_and_fresh_begins_another(tmp_path: Path) -> None:
    def interrupted(request: OptimizeRequest, listener: Listener) -> Report:
        listener(TrialFinished(trial("one", 1, 1.5)))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        night_on(tmp_path, interrupted)
    known = newest_night(Workspace(tmp_path).state)
    assert known is not None
    night = known[0]
    assert night.stop.startswith("stopped by you") and not night.final
    assert night.targets[0].best is not None and night.wins == 1 and night.judged_s == 2.0
    assert night_on(tmp_path, lambda request, listener: report(request)).name == night.name
    with pytest.raises(KeyboardInterrupt):
        night_on(tmp_path, interrupted)
    assert night_on(tmp_path, lambda request, listener: report(request), fresh=True).targets[0].dots == ()


def test_the_model_of_all_targets_is_paid_from_one_account(tmp_path: Path) -> None:
    asked: list[OptimizeRequest] = []

    def measure(request: OptimizeRequest, listener: Listener) -> Report:
        asked.append(request)
        return report(request)

    night = night_on(tmp_path, measure, model=ModelRequest("openai/scripted"))
    assert {request.model.account for request in asked if request.model} == {night.name}
    assert len(asked) == len(PLACES)


def test_one_night_at_a_time(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(EngineError, match="a night is under way"), only_one(tmp_path):
        pass


def test_waiting_costs_no_time() -> None:
    now = [0.0]
    written: list[float] = []
    with Clock(100.0, written.append, lambda: now[0]) as clock:
        now[0] = 10.0
        clock.wait(True)
        now[0] = 1000.0
        assert clock.spent_s == 110.0
        clock.wait(False)
        now[0] = 1005.0
    assert written[0] == 100.0 + TICK_S and written[-1] == 115.0


def test_what_waits_is_told_to_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bool] = []
    monkeypatch.setattr(Clock, "wait", lambda self, waiting: heard.append(waiting))

    def measure(request: OptimizeRequest, listener: Listener) -> Report:
        listener(StageEvent("somebody uses the GPU", waiting=True))
        listener(StageEvent("timing"))
        return report(request)

    night_on(tmp_path, measure)
    assert heard[:3] == [True, False, False]
