"""Where an editor shows a profile's suggestions: at the call they are about, and nowhere once that has changed."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from outpace_optimizers.profiles.annotating import annotations_of
from outpace_optimizers.profiles.annotations import Advice, Limit
from outpace_optimizers.profiles.code_names import digest_of, forget_files
from outpace_optimizers.profiles.records import FORMAT, Portion, Profile, Target
from roofline_maker import MACHINE, measured, point, roofline

SOURCE = """import torch


def setup():
    return torch.optim.Adam([])


def step(x):
    return x


def main():
    step(setup())
"""


def profile_of(folder: Path, **differing: Any) -> Profile:
    """Of `step` and of `main`, which runs it; the optimizer takes a fifth of the step."""
    path = folder / "train.py"
    path.write_text(SOURCE)
    forget_files()
    targets = (
        Target("function", "main", 1.0, 0.0, 0.1, 0.0, str(path), 12, digest_of(str(path), "main"), around=True),
        Target("function", "step", 0.7, 0.2, 0.7, 3.0, str(path), 8, digest_of(str(path), "step")),
        Target("region", "Adam.step", 0.2, 0.0, 0.2, 1.0),
    )
    fields: dict[str, Any] = {
        "format": FORMAT, "trace": str(folder / "trace.pt.trace.json"), "steps": 3, "step_s": 1.0,
        "profiled_step_s": 1.0, "plain_step_s": None, "step_by": "", "attributed_s": 1.0, "unattributed": (),
        "targets": targets, "kernels": (), "breakdown": (), "waits": (), "copies": (),
        "zeroing": Portion("zero_grad", 0.0), "optimizer": (Portion("aten::add_", 0.2, 10),), "loader": "",
        "device": None,
        "run": {"main": str(path), "files": {"train.py": hashlib.sha256(SOURCE.encode()).hexdigest()}},
    }  # fmt: skip
    return Profile(**(fields | differing))


def advice(profile: Profile, root: Path) -> list[Advice]:
    forget_files()
    return list(annotations_of(profile, root, "name", 0.0).advice)


def test_a_call_in_code_that_no_step_runs_is_found(tmp_path: Path) -> None:
    (one,) = advice(profile_of(tmp_path), tmp_path)
    assert (one.rule, one.name, one.call) == ("optimizer-loop", "setup", "Adam")
    assert one.gain == pytest.approx(1.25) and one.page == "docs/profile.md#optimizer-loop"


def test_who_has_changed_that_call_is_not_told_again(tmp_path: Path) -> None:
    profile = profile_of(tmp_path)
    path = tmp_path / "train.py"
    path.write_text(SOURCE.replace("Adam([])", "Adam([], fused=True)"))
    assert advice(profile, tmp_path) == []
    path.write_text(SOURCE.replace("Adam([])", "Adam([])  # why"))
    assert advice(profile, tmp_path) == [], "what `setup` was is not known, only what the file was"


def test_without_such_a_call_it_stands_at_what_runs_the_steps(tmp_path: Path) -> None:
    profile = profile_of(tmp_path)
    text = SOURCE.replace("torch.optim.Adam([])", "make()")
    (tmp_path / "train.py").write_text(text)
    (one,) = advice(profile, tmp_path)
    assert (one.name, one.call) == ("main", "")
    (tmp_path / "train.py").write_text(text.replace("step(setup())", "pass"))
    (one,) = advice(profile, tmp_path)
    assert one.digest == digest_of_main(SOURCE, tmp_path), "an editor sees that it is another one by now"


def digest_of_main(source: str, folder: Path) -> str | None:
    path = folder / "as_it_was.py"
    path.write_text(source)
    return digest_of(str(path), "main")


def test_numbers_are_shares_of_the_step_and_of_what_is_run_around_it_only_its_own(tmp_path: Path) -> None:
    marks = {one.name: one for one in annotations_of(profile_of(tmp_path), tmp_path, "name", 0.0).marks}
    assert (marks["step"].share, marks["step"].gain) == (pytest.approx(0.7), pytest.approx(1 / 0.3))
    assert (marks["main"].share, marks["main"].around) == (pytest.approx(0.1), True)


def test_a_roofline_says_how_far_a_function_is_from_the_limit(tmp_path: Path) -> None:
    profile = profile_of(tmp_path, run={"machine": asdict(MACHINE)})
    digest = next(one.digest for one in profile.targets if one.name == "step")
    assert digest is not None
    near = roofline(
        path=str(tmp_path / "train.py"), digests={"step": digest}, measured=measured(point(seconds=12.5e-3))
    )
    marks = {one.name: one for one in annotations_of(profile, tmp_path, "name", 0.0, [near]).marks}
    assert marks["step"].limit == Limit("compute", pytest.approx(1.25))
    assert marks["step"].gain == pytest.approx(1 / (0.3 + 0.7 / 1.25))
    assert marks["main"].limit is None
