"""`benchmarks/sol_execbench.py`: which problems, what is kept, and what comes of raw samples; numbers by hand."""

from __future__ import annotations

import json
import math
import queue
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "benchmarks"))  # at the end: benchmarks and tests both have an editor.py

import sol_execbench  # noqa: E402
import sol_score  # noqa: E402
from sol_problem import How  # noqa: E402
from sol_score import CONTROL, OFFER, Timed, held_back, merged, problems_of, score, totals  # noqa: E402

from sol_maker import REFERENCE, make_problem, workload  # noqa: E402

HOW = How("cpu", 5.0, 1, (), 60.0, False, sys.executable)


@pytest.mark.parametrize(
    ("t_k", "t_b", "t_sol", "wanted"),
    [
        (4.0, 4.0, 1.0, 0.5),
        (1.0, 4.0, 1.0, 1.0),
        (2.0, 4.0, 1.0, 0.75),  # 1 / (1 + 1/3)
        (7.0, 4.0, 1.0, 1 / 3),
        (2.0, 4.0, 0.0, 2 / 3),  # without a floor: T_b / (T_b + T_k)
        (0.5, 4.0, 1.0, 1.2),  # 1 / (1 - 1/6): faster than the floor, not clipped
        (1.0, 2.0, 2.0, 1.0),  # T_b is at the floor
        (3.0, 2.0, 2.0, 0.0),
    ],
)
def test_the_score_is_the_benchmarks(t_k: float, t_b: float, t_sol: float, wanted: float) -> None:
    assert score(t_k, t_b, t_sol) == pytest.approx(wanted)


def sample(label: str, eager: float, arm: float, mode: str = "graph") -> dict[str, Any]:
    """Two calls of each in a window; the harness takes 0.1 of it."""
    windows = [(2 * eager + 0.1, 2 * arm + 0.1)] * 3
    return {"workload": label, "mode": mode, "calls": [2, 2], "harness": [0.1, 0.1], "seconds": windows}


def look(*samples: dict[str, Any], failure: str = "", passed: bool = True) -> dict[str, Any]:
    matches = [{"workload": one["workload"], "share": 1.0, "passed": passed} for one in samples]
    return {"failure": failure, "compile_s": 1.0, "matches": matches, "samples": list(samples)}


def record(arms: dict[str, Any], **changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "state": "finished", "error": None, "workloads": ["w"], "trials": [], "unjudged": [], "ending": "done",
        "machine": "m", "optimize_s": 30.0, "floor": [{"workload": "w", "seconds": 1.0}], "arms": arms,
    }  # fmt: skip
    return base | changes


def test_times_of_all_arms_are_told_against_eager_of_the_same_windows() -> None:
    arms = {
        OFFER: [look(sample("w", 8.0, 2.0)), look(sample("w", 16.0, 4.0))],  # the second time all was half as fast
        "compile default": [look(sample("w", 8.0, 4.0))],
        CONTROL: [look(sample("w", 8.0, 8.0))],
    }
    (one,) = problems_of({"problems": {"L1/a": record(arms)}})
    times = {OFFER: pytest.approx(2.0), "compile default": pytest.approx(4.0)}
    assert one.timed == (Timed("w", 8.0, times, 1.0, pytest.approx(4.0)),)
    assert one.timed[0].best_mode == "compile default"
    assert one.over_best() == pytest.approx(2.0)
    assert one.over_eager() == pytest.approx(4.0)
    assert one.score() == pytest.approx(0.75)
    assert one.group == "L1"
    assert held_back(one) == "offered, faster than torch.compile"


def test_an_arm_that_cannot_be_captured_keeps_the_time_of_its_calls() -> None:
    arms = {
        OFFER: [look(sample("w", 8.0, 6.0))],
        "compile reduce-overhead": [look(sample("w", 10.0, 2.5, mode="as-called"))],
    }
    (one,) = problems_of({"problems": {"a": record(arms)}})
    assert (one.timed[0].eager, one.timed[0].t_b) == (8.0, pytest.approx(2.5))
    called = {OFFER: [look(sample("w", 12.0, 9.0, mode="as-called"))], CONTROL: [look(sample("w", 8.0, 8.0))]}
    (one,) = problems_of({"problems": {"a": record(called)}})
    assert (one.timed[0].t_ours(), one.over_eager()) == (pytest.approx(9.0), pytest.approx(12 / 9))


def test_wrong_arms_do_not_count_and_one_late_compilation_does_not_matter() -> None:
    good, wrong, late = look(sample("w", 8.0, 1.0)), look(failure="wrong values: 0"), look(failure="time was up")
    assert not sol_score.counts([good, wrong, good])
    assert sol_score.counts([late, good, good])
    assert not sol_score.counts([late, good])
    arms = {"compile default": [good, wrong], "compile max-autotune": [late, good, good]}
    (one,) = problems_of({"problems": {"a": record(arms)}})
    assert set(one.timed[0].arms) == {"compile max-autotune"}
    assert (one.over_best(), one.over_eager()) == (pytest.approx(1 / 8), pytest.approx(1.0))


def test_totals_show_every_denominator() -> None:
    trial = {"accepted": False, "reason": "shapes: wrong at 3", "judged_s": 1.0}
    fast = {OFFER: [look(sample("w", 8.0, 2.0))], "compile default": [look(sample("w", 8.0, 4.0))]}
    slow = {OFFER: [look(sample("w", 8.0, 16.0), passed=False)]}
    document = {
        "problems": {
            "A/fast": record(fast),
            "A/slow": record(slow, optimize_s=70.0),
            "B/none": record({"compile default": [look(sample("w", 8.0, 4.0))]}, trials=[trial]),
            "B/died": {"state": "failed", "error": "x", "arms": {}, "trials": [], "workloads": []},
            "B/alien": {"state": "unrunnable", "error": "x", "arms": {}, "trials": [], "workloads": []},
        }
    }
    found = totals(document)
    whole = found["all"]
    counted = {name: whole[name] for name in ("problems", "unrunnable", "failed", "measured", "offers", "over_60_s")}
    assert counted == {"problems": 5, "unrunnable": 1, "failed": 1, "measured": 3, "offers": 2, "over_60_s": 1}
    scores = [0.75, 1 / (1 + 15 / 7), 1 / (1 + 7 / 3), 0.0]
    assert whole["mean_score_of_measured"] == pytest.approx(sum(scores) / 3)
    assert whole["mean_score_of_runnable"] == pytest.approx(sum(scores) / 4)
    assert whole["mean_score_of_all"] == pytest.approx(sum(scores) / 5)
    assert whole["over_best_mode"] == pytest.approx((2 * 0.5 * 0.5) ** (1 / 3))
    assert (whole["offers_slower_than_the_users_code"], whole["offers_that_break_their_own_tolerance"]) == (1, 1)
    scores[1] = 0.5  # its own tolerance is broken: eager stands
    assert whole["mean_score_of_runnable_under_own_tolerance"] == pytest.approx(sum(scores) / 4)
    assert (found["A"]["problems"], found["B"]["problems"]) == (2, 3)
    assert held_back(problems_of(document)[3]) == "failed"
    assert "rejected by shapes" in sol_score.table(document)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, "no idea"),
        ({"ending": "time"}, "out of time"),
        ({"floor": [{"workload": "w", "seconds": 7.0}]}, "near the floor"),
        ({"state": "timeout"}, "failed: out of time"),
        ({"trials": [{"accepted": True, "reason": ""}]}, "the offer failed when it was timed again"),
    ],
)
def test_what_holds_a_problem_back(changes: dict[str, Any], wanted: str) -> None:
    (one,) = problems_of({"problems": {"a": record({CONTROL: [look(sample("w", 8.0, 8.0))]}, **changes)}})
    assert held_back(one) == wanted


def test_problems_are_known_by_their_path_from_what_was_named(tmp_path: Path) -> None:
    folders = [make_problem(tmp_path / "set" / name) for name in ("L1/same", "L2/same", "deep/er/one")]
    assert list(sol_execbench.found([tmp_path / "set"])) == ["L1/same", "L2/same", "deep/er/one"]
    assert sol_execbench.found([folders[0]]) == {"same": folders[0]}
    assert sol_execbench.found([tmp_path / "set", tmp_path / "set"]) == sol_execbench.found([tmp_path / "set"])
    with pytest.raises(SystemExit, match="name a common parent"):
        sol_execbench.found([folders[0], folders[1]])
    with pytest.raises(SystemExit, match=r"no folder with a definition\.json"):
        sol_execbench.found([make_empty(tmp_path)])


def make_empty(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def test_parts_share_all_problems(tmp_path: Path) -> None:
    problems = {name: tmp_path / name for name in "abcde"}
    parts = [[key for key, _ in sol_execbench.part(problems, f"{n}/2")] for n in (1, 2)]
    assert parts == [["a", "c", "e"], ["b", "d"]]


def test_what_is_kept_is_not_run_again_and_other_settings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    result = sol_execbench.Result(path, HOW)
    result.keep("A/a", record({}) | {"machine_record": {"name": "cpu"}, "ceilings": {"rates": []}})
    result.keep("A/b", {"state": "timeout", "error": "x", "arms": {}, "trials": [], "workloads": []})
    again = sol_execbench.Result(path, HOW)
    assert again.document == result.document
    assert again.document["machines"] == {"m": {"name": "cpu"}}
    assert [again.wants(key, ()) for key in ("A/a", "A/b", "A/c")] == [False, False, True]
    assert again.wants("A/b", ("timeout",))
    assert not again.wants("A/a", ("timeout",))
    with pytest.raises(SystemExit, match="other settings"):
        sol_execbench.Result(path, How("cpu", 6.0, 1, (), 60.0, False, sys.executable))


def test_parts_are_merged_and_what_was_finished_stays() -> None:
    head: dict[str, Any] = {"format": 2, "settings": {"budget_s": 60}, "machines": {}, "ceilings": {}}
    done, late = record({}), {"state": "timeout"}
    first = head | {"machines": {"m": 1}, "problems": {"a": done, "b": late}}
    second = head | {"machines": {"n": 2}, "problems": {"a": late, "b": done, "c": late}}
    both = merged([first, second])
    assert both["machines"] == {"m": 1, "n": 2}
    assert both["problems"] == {"a": done, "b": done, "c": late}
    with pytest.raises(ValueError, match="different settings"):
        merged([first, second | {"settings": {"budget_s": 30}}])


def lane(tmp_path: Path, each: float, seconds: float) -> sol_execbench.Lane:
    return sol_execbench.Lane(HOW, None, tmp_path / "state", each, time.monotonic() + seconds)


def test_a_problem_that_takes_too_long_is_said_to_and_one_that_all_the_time_cut_off_is_left(tmp_path: Path) -> None:
    folder, result = make_problem(tmp_path / "p"), sol_execbench.Result(tmp_path / "r.json", HOW)
    short = lane(tmp_path, 0.0, 1000)
    jobs: queue.SimpleQueue[tuple[str, Path]] = queue.SimpleQueue()
    jobs.put(("p", folder))
    short.work(jobs, result)
    assert result.document["problems"]["p"]["state"] == "timeout"
    assert short._process is None
    assert lane(tmp_path, 1000, 0.0)._record(folder) is None
    jobs.put(("p", folder))
    lane(tmp_path, 1000, sol_execbench.LEAST_S - 1).work(jobs, result)
    assert jobs.get_nowait() == ("p", folder), "it was not even begun"


BATCHED = """import torch


def run(x, weight, scale):
    y = torch.tanh(x @ weight * scale)
    return y, y.amax(dim=-1)
"""


@pytest.mark.slow
def test_a_problem_from_its_folder_to_its_score(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # a lease of its own: no timing is believed here
    make_problem(tmp_path / "set/L9/rows", workload("u1", 2, 4))
    out, state = tmp_path / "r.json", tmp_path / "state"
    arguments = ["sol_execbench.py", "--repeats", "1", "--budget", "0", "--out", str(out), "--state", str(state)]
    monkeypatch.setattr(sys, "argv", [*arguments, str(tmp_path / "set")])
    sol_execbench.main()
    document = json.loads(out.read_text())
    kept = document["problems"]["L9/rows"]
    assert kept["state"] == "finished", kept["error"]
    (one,) = problems_of(document)
    assert (one.offered, held_back(one)) == (False, "out of time")
    assert 0 < one.score() < 1 and math.isfinite(one.over_best())
    assert [match["passed"] for look in kept["arms"]["compile default"] for match in look["matches"]] == [True]
    assert all(floor["seconds"] > 0 for floor in kept["floor"])
    for line in filter(None, map(str.strip, REFERENCE.splitlines())):
        assert line not in out.read_text() or line == "import torch"
    before = out.read_text()
    sol_execbench.main()
    assert "0 problems to run, 1 kept" in capsys.readouterr().out
    assert out.read_text() == before
    race_again_with_an_offer(out, state)


def race_again_with_an_offer(out: Path, state: Path) -> None:
    """As if all had been cut off after optimizing, which has found something."""
    (optimized,) = state.glob("gpu0/optimized/*.json")
    found = json.loads(optimized.read_text())
    offer = {"path": "reference.py", "source": BATCHED, "symbol": "run", "kind": "function"}
    optimized.write_text(json.dumps(found | {"offer": offer}))
    out.unlink()
    sol_execbench.main()
    document = json.loads(out.read_text())
    (one,) = problems_of(document)
    assert one.record["resumed"] and one.record["optimize_s"] == found["record"]["optimize_s"]
    assert one.offered and one.over_eager() > 1
    assert totals(document)["all"]["offers_that_break_their_own_tolerance"] == 0
