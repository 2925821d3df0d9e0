"""Targets rank by share of the step and distance from the limit; a roofline that does not fit is not used."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from outpace_audit.records import Machine
from outpace_optimizers.profiles.code_names import forget_files
from outpace_optimizers.profiles.ranking import best_gain, ranked
from outpace_optimizers.profiles.records import FORMAT, Portion, Profile, Target
from outpace_optimizers.roofline.records import Roofline
from outpace_optimizers.roofline.store import digests_of, keep, known
from roofline_maker import CEILINGS, MACHINE, measured, point, roofline

SOURCE = "def step(x):\n    return x\n\n\nclass Net:\n    def forward(self, x):\n        return x\n"


def profile(machine: Machine | None = MACHINE, *targets: Target) -> Profile:
    step = Target("function", "step", 0.6, 0.2, 0.6, 1.0, "/nowhere/train.py", 1, "as it was")
    loss = Target("function", "loss", 0.4, 0.1, 0.4, 1.0, "/nowhere/train.py", 9)
    return Profile(
        format=FORMAT, trace="t", steps=3, step_s=1.0, profiled_step_s=1.0, plain_step_s=None, step_by="",
        attributed_s=1.0, unattributed=(), targets=targets or (step, loss), kernels=(), breakdown=(), waits=(),
        copies=(), zeroing=Portion("zero_grad", 0.0), optimizer=(), loader="", device=None,
        run={} if machine is None else {"machine": asdict(machine)},
    )  # fmt: skip


def taking(seconds: float) -> Any:
    """Of a limit of 10 ms."""
    return measured(point(seconds=seconds))


def test_the_gain_is_amdahls() -> None:
    assert best_gain(0.5) == pytest.approx(2.0)
    assert best_gain(0.5, 2.0) == pytest.approx(1 / 0.75)
    assert best_gain(0.5, 1.0) == pytest.approx(1.0)
    assert best_gain(1.0) == math.inf and best_gain(1.0, 4.0) == pytest.approx(4.0)


def test_without_rooflines_the_share_ranks() -> None:
    found = ranked(profile())
    assert [one.target.name for one in found.worth] == ["step", "loss"]
    assert [one.best_gain for one in found.worth] == pytest.approx([2.5, 1 / 0.6])


def test_a_smaller_target_far_from_its_limit_goes_before_a_larger_one_near_it() -> None:
    found = ranked(profile(), [roofline(measured=taking(12.5e-3))])
    assert [one.target.name for one in found.worth] == ["loss", "step"]
    step = found.worth[1]
    assert step.distance is not None and step.distance.bound == "compute"
    assert step.distance.speedup == pytest.approx(1.25)
    assert step.best_gain == pytest.approx(1 / (0.4 + 0.6 / 1.25))


def test_what_is_at_its_limit_is_not_worth_a_second_however_large() -> None:
    found = ranked(profile(), [roofline(measured=taking(10.05e-3))])
    assert [one.target.name for one in found.rest] == ["step"]
    assert found.rest[0].best_gain == pytest.approx(1 / (0.4 + 0.6 / 1.005))


def test_a_modules_roofline_is_that_of_its_forward() -> None:
    net = Target("function", "Net.forward", 0.5, 0.2, 0.5, 1.0, "/nowhere/train.py", 6, "as it was")
    found = roofline(target="Net", kind="module", digests={"Net.__init__": "first", "Net.forward": "as it was"})
    (one,) = ranked(profile(MACHINE, net), [found]).worth
    assert one.distance is not None and one.best_gain == pytest.approx(1 / 0.75)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (roofline(digests={"step": "as it is"}), "the profiled code is not"),
        (roofline(machine=replace(MACHINE, name="B CPU")), "another machine"),
        (roofline(machine=replace(MACHINE, torch="2.14.0")), "another machine or torch"),
        (roofline(measured=replace(measured(trains=False))), "forward only"),
        (roofline(ceilings=replace(CEILINGS, foreign_share=0.5)), "other programs used 50%"),
        (roofline(measured=replace(measured(), foreign_share=0.5)), "timed while other programs used 50%"),
        (roofline(measured=taking(5e-3)), "its limit is not known well enough"),
    ],
)
def test_a_roofline_that_does_not_fit_is_named_and_not_used(found: Roofline, why: str) -> None:
    ranking = ranked(profile(), [found])
    assert all(one.distance is None for one in ranking.worth)
    assert len(ranking.unused) == 1 and why in ranking.unused[0]


def test_other_threads_than_the_profiles_are_another_machine() -> None:
    two, one = (replace(profile(), run={**profile().run, "threads": threads}) for threads in (2, 1))
    assert ranked(two, [roofline()]).unused == ()
    assert "with 2 threads, the profile with 1" in ranked(one, [roofline()]).unused[0]


def test_of_a_foreign_trace_the_machine_is_not_known() -> None:
    ranking = ranked(profile(None), [roofline()])
    assert ranking.worth[0].distance is None and ranking.unused


def test_a_roofline_of_something_else_is_not_spoken_of() -> None:
    assert ranked(profile(), [roofline(target="other"), roofline(path="/elsewhere/train.py")]).unused == ()


def test_what_runs_the_steps_has_no_roofline() -> None:
    around = Target("function", "step", 0.9, 0.2, 0.1, 1.0, "/nowhere/train.py", 1, "as it was", around=True)
    ranking = ranked(profile(MACHINE, around), [roofline()])
    assert ranking.worth[0].distance is None


@pytest.mark.parametrize(
    ("target", "kind", "was", "now"),
    [("step", "function", "step(x)", "step(x, y)"), ("Net", "module", "        return x", "        return -x")],
)
def test_kept_rooflines_are_those_of_the_code_as_it_is(
    tmp_path: Path, target: str, kind: str, was: str, now: str
) -> None:
    path, state = tmp_path / "train.py", tmp_path / ".outpace"
    path.write_text(SOURCE)
    found = roofline(path=str(path), target=target, kind=kind, digests=digests_of(SOURCE, target, kind))
    keep(state, found)
    assert known(state) == (found,)
    path.write_text(SOURCE.replace("x\n\n", "x  # a comment\n\n"))
    assert known(state) == (found,)
    path.write_text(SOURCE.replace(was, now))
    assert known(state) == ()
    path.unlink()
    assert known(state) == ()
    (next((state / "rooflines").iterdir())).write_text("{")
    assert known(state) == ()
    forget_files()
