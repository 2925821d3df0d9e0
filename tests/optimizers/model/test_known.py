"""What is kept of a target, in the question for an idea: only where it is of this very text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from outpace_audit.records import Code
from outpace_optimizers.model.known import known_of
from outpace_optimizers.model.prompt import Facts, messages_for
from outpace_optimizers.profiles.records import FORMAT, Portion, Profile
from outpace_optimizers.profiles.records import Target as Profiled
from outpace_optimizers.profiles.store import keep_profile, keep_recording, new_place
from outpace_optimizers.records import Target
from outpace_optimizers.roofline.store import digests_of, keep
from outpace_optimizers.source import parse
from roofline_maker import MACHINE, WORK, measured, point, roofline

TEXT = "import torch\n\n\ndef step(x):\n    return x.softmax(-1) @ x\n"


@pytest.fixture
def target(tmp_path: Path) -> Target:
    path = tmp_path / "train.py"
    path.write_text(TEXT)
    return Target(Code(str(path), TEXT, "step", "function"), ())


def kept(target: Target, state: Path) -> None:
    path = target.code.path
    keep(state, roofline(path=path, digests=digests_of(TEXT, "step", "function")))


def profiled(target: Target, state: Path, digest: str = digests_of(TEXT, "step", "function")["step"]) -> None:
    operators = (Portion("aten::softmax", 0.1), Portion("aten::mm", 0.3))
    one = Profiled("function", "step", 0.5, 0.0, 0.4, 1.0, target.code.path, 4, digest, operators=operators)
    place, trace, none = new_place(state, "train.py"), state / "trace.json", Portion("", 0.0)
    trace.write_text("{}")
    keep_recording(place, trace, {})
    keep_profile(
        place,
        Profile(FORMAT, "train", 1, 1.0, 1.0, None, "step", 1.0, (), (one,), (), (), (), (), none, (), "", None, {}),
    )


def test_what_binds_it_and_its_share_of_a_step_are_said(target: Target, tmp_path: Path) -> None:
    kept(target, tmp_path)
    profiled(target, tmp_path)
    bound, share = known_of(tmp_path, target, MACHINE)
    assert bound.startswith("x 2x3: arithmetic binds it: ")
    assert "at best 2.00x faster; 1e+09 FLOPs, 1e+07 bytes at least, of 3e+07 that its 5 operators move" in bound
    assert share == "step: 50% of a step: aten::mm 30%, aten::softmax 10%"
    asked = messages_for(
        target, parse("train.py", TEXT), Facts(MACHINE, "", {"workloads": []}, (bound, share), ("Batch loops",)), ()
    )[1]["content"]
    assert f"Measured before:\n- {bound}\n- {share}\n" in asked
    assert "(no need to repeat it):\n- Batch loops\n" in asked


@pytest.mark.parametrize(
    ("flops", "operators", "said"), [(1e6, 5, "memory traffic"), (1e6, 5000, "calling its operators")]
)
def test_the_resource_that_binds_is_the_rooflines(
    target: Target, tmp_path: Path, flops: float, operators: int, said: str
) -> None:
    work = replace(WORK, flops={"fp32": flops}, operators=operators)
    digests = digests_of(TEXT, "step", "function")
    keep(tmp_path, roofline(path=target.code.path, digests=digests, measured=measured(point(work))))
    assert known_of(tmp_path, target, MACHINE)[0].startswith(f"x 2x3: {said} binds it")


def test_what_was_measured_of_other_code_or_on_another_machine_is_not(target: Target, tmp_path: Path) -> None:
    kept(target, tmp_path)
    profiled(target, tmp_path, digest="of another text")
    assert not known_of(tmp_path, target, replace(MACHINE, name="Another CPU"))
    Path(target.code.path).write_text(TEXT.replace("-1", "0"))
    assert not known_of(tmp_path, target, MACHINE)
