"""What a verdict comes to for a whole step: computed where a profile holds, and nothing where it may not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from outpace_audit.records import Idea, Machine, Patch, Span, Verdict
from outpace_optimizers.profiles.step_gains import Part, step_gain, with_step_gains
from outpace_optimizers.records import Trial
from profile_maker import plant_profile

MACHINE = Machine("cpu", "A CPU", "", "A CPU", 2, "3.11.7", "2.13.0", None, None, None)
VERDICT = Verdict(
    id="v", accepted=True, reason="faster", numerics="tolerant", level="L4", speedup=2.0, interval=(1.5, 3.0),
    timings=(), checks=(), machine=MACHINE, protections=(), trains=False, truth="fp64",
)  # fmt: skip
PART = Part(0.5, 0.0, False)
SOURCE = "def work(x):\n    return x\n\n\nclass Net:\n    def forward(self, x):\n        return work(x)\n"
OTHER = "def other(x):\n    return x\n"


def trial(path: str = "work.py", target: str = "work", verdict: Verdict = VERDICT) -> Trial:
    idea = Idea("rule", "title", "why", "tolerant", Patch(path, "", "", (Span(target),)))
    return Trial("v", target, idea, verdict, "", "outpace replay v")


def test_it_is_amdahls_law_for_the_speedup_and_for_both_ends_of_its_interval() -> None:
    found = step_gain(trial(), PART, MACHINE, "p")
    assert found is not None
    assert found.speedup == pytest.approx(1 / (0.5 + 0.25))
    assert found.interval == (pytest.approx(1 / (0.5 + 0.5 / 1.5)), pytest.approx(1 / (0.5 + 0.5 / 3)))
    assert (found.share, found.profile) == (0.5, "p")


@pytest.mark.parametrize(
    "given, part, machine",
    [
        (trial(verdict=replace(VERDICT, accepted=False)), PART, MACHINE),
        (trial(verdict=replace(VERDICT, speedup=None, interval=None)), PART, MACHINE),
        (replace(trial(), whole_text=True), PART, MACHINE),
        (trial(), PART, None),
        (trial(), PART, replace(MACHINE, device="cuda", name="a GPU")),
        (trial(), PART, replace(MACHINE, torch="2.6.0")),
        (trial(), replace(PART, around=True), MACHINE),
        (trial(), replace(PART, backward_s=0.1), MACHINE),
        (trial(verdict=replace(VERDICT, trains=True)), PART, MACHINE),
    ],
    ids=["rejected", "no-time", "training-run", "unknown-machine", "gpu", "torch", "around", "no-backward", "backward"],
)
def test_where_the_profile_is_of_something_else_there_is_none(
    given: Trial, part: Part, machine: Machine | None
) -> None:
    assert step_gain(given, part, machine, "p") is None


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "work.py").write_text(SOURCE)
    (tmp_path / "other.py").write_text(OTHER)
    plant_profile(
        tmp_path,
        MACHINE,
        {("work.py", "work"): 0.5, ("work.py", "Net.forward"): 0.8, ("other.py", "other"): 0.1},
    )
    return tmp_path


def gain_of(project: Path, target: str) -> float | None:
    (found,) = with_step_gains((trial(str(project / "work.py"), target),), project / ".outpace")
    return found.step.speedup if found.step else None


def test_the_newest_profile_of_the_file_says_it(project: Path) -> None:
    assert gain_of(project, "work") == pytest.approx(1 / 0.75)
    assert gain_of(project, "Net") == pytest.approx(1 / 0.6), "a module's is its forward's"
    assert gain_of(project, "nothing") is None
    plant_profile(project, MACHINE, {("other.py", "other"): 1.0})
    assert gain_of(project, "work") == pytest.approx(1 / 0.75), "a later profile is of another script"


@pytest.mark.parametrize("file", ["work.py", "other.py"])
def test_a_profile_that_is_stale_anywhere_says_nothing(project: Path, file: str) -> None:
    path = project / file
    path.write_text(path.read_text().replace("return x\n", "return x  # the same\n"))
    assert gain_of(project, "Net") is not None
    path.write_text(path.read_text().replace("return x ", "return x + 1"))
    assert gain_of(project, "Net") is None


def test_without_a_profile_nothing_is_said(tmp_path: Path) -> None:
    (found,) = with_step_gains((trial(str(tmp_path / "work.py")),), tmp_path / ".outpace")
    assert found.step is None
