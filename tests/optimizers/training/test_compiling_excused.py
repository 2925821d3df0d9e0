"""A candidate may compile and import before its first step, and do nothing else there."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from outpace_optimizers.training.change import NOTHING, Change, read_change
from outpace_optimizers.training.compiling import set_aside, waited_for, without_compiling
from outpace_optimizers.training.config import read_target
from outpace_optimizers.training.models import not_run, was_run
from outpace_optimizers.training.run import Limits, Runner, RunResult, compiling_nothing
from outpace_optimizers.training.store import Side
from outpace_optimizers.workspace import Workspace
from training_maker import ROOT, compared, edited, make_project

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a run's tree is an overlay")

TARGET = read_target(Workspace(ROOT / "examples/charlm"))
MADE = "    model = CharModel(len(CHARS))\n"
FORWARD = "F.cross_entropy(model(batch"
RATES = ("RATE = 1e-3", "RATE = 5e-3")


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("import torch\n", "import torch\nf = torch.compile(g)\n", ("torch",)),
        ("import torch\n", "import torch\nargs = Arguments(torch_compile=True)\n", ("torch",)),
        ("import torch\n", "import torch\nfrom a.b import c\n", ("a.b:c", "torch")),
        ("import torch\n", "import torch\nfrom a import *\n", ("a", "torch")),
        ("import torch\n", "import torch\nRATE = 2\n", None),
        ("import torch\n", "import torch, time, re\nfrom os import path\nP = re.compile('x')\n", None),
        ("import torch\n", "import torch\nimport model, lib.parts\nfrom . import other\n", None),
    ],
)
def test_what_a_candidate_waits_for_is_read_in_its_text(
    before: str, after: str, found: tuple[str, ...] | None, tmp_path: Path
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "train.py").write_text(before)
    (tmp_path / "model.py").write_text("")
    assert waited_for(Change({"train.py": after.encode()}), tmp_path) == found
    assert waited_for(Change({"options.yaml": b"compile: true\n", "weights.bin": b"\xff\0"}), tmp_path) == ("torch",)


def run_of(value: float, start: float, steps: int = 3, outcome: str = "finished", pace: float = 0.01) -> RunResult:
    """Of `steps` printed steps, a hundred apart."""
    curve = tuple((start + pace * 100 * n, 100 * n, value) for n in range(1, steps + 1))
    run = RunResult(1, "finished", "", value, None, None, start + 300 * pace + 0.1, curve, (), (), "here")
    return replace(run, outcome=outcome, reason="it broke" if outcome != "finished" else "")


def judged(candidate: Callable[[int], RunResult]) -> tuple[bool, str, float | None]:
    """Against a baseline that begins after a second and has about 2."""

    def again(side: Side, number: int) -> RunResult:
        return run_of(2.0 + 0.01 * number, 1.0) if side == "baseline" else candidate(number)

    check, gain = without_compiling(again, 3, TARGET, -1, 0.01)
    return check.passed, check.evidence, None if gain is None else round(gain.gain, 2)


def test_a_gain_has_to_be_there_as_soon() -> None:
    as_soon = judged(lambda number: run_of(1.0 + 0.01 * number, 1.5))
    assert as_soon[0] and as_soon[2] == 1.0
    passed, said, _ = judged(lambda number: run_of(1.0 + 0.01 * number, 2.5))
    assert not passed and "with nothing compiled, too: before its first step it takes 1.5 s more" in said
    passed, said, _ = judged(lambda number: run_of(1.0 + 0.01 * number, (1.0, 2.5, 9.0)[number]))
    assert not passed and "1.5 s more" in said, "no start is excused as the machine's noise"
    passed, said, _ = judged(lambda number: run_of(1.9 + 0.1 * number, 1.0))
    assert not passed and said.endswith("what it does before its first step is no compiling alone")


@pytest.mark.parametrize(
    ("candidate", "said"),
    [
        (run_of(1.0, 1.0, outcome="crashed"), "a run of the candidate fails: it broke: train for more steps"),
        (run_of(1.0, 1.0, steps=1), "runs print too few steps to tell when they begin"),
        (run_of(1.0, 1.0, pace=0.02), "its steps 1.97 times"),
    ],
)
def test_what_can_not_be_told_is_no_excuse(candidate: RunResult, said: str) -> None:
    passed, text, _ = judged(lambda number: candidate)
    assert not passed and said in text


def test_only_what_takes_longer_is_set_aside() -> None:
    clock = not_run("outside-clock", "")
    later = replace(clock, passed=False, numbers={"later_s": 3.0})
    assert not was_run(set_aside(later)) and set_aside(later).passed
    for other in (replace(clock, numbers={}), replace(clock, passed=False, numbers={})):
        assert set_aside(other) is other


def planted(text: str, *pairs: tuple[str, str]) -> str:
    for before, after in pairs:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


BACKEND = f"""{MADE}    import sys

    def refuses(graph, inputs):
        raise SystemExit("it is compiled")

    fast = torch.compile(model, backend=refuses, fullgraph=True)
    fast._orig_mod.compile(backend=refuses)
    assert "torch.testing._comparison" in sys.modules
"""


def test_a_run_compiles_nothing_and_trains_as_it_does_else(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    project = charlm(tmp_path / "project", 8)
    tree = edited(
        project, tmp_path, lambda text: planted(text, (MADE, BACKEND), (FORWARD, FORWARD.replace("model", "fast")))
    )
    workspace = Workspace(project)
    target = read_target(workspace)
    change, inside = read_change(tree, project, target), compiling_nothing(("torch.testing:_comparison", "no_such"))
    with Runner(workspace, target, sys.executable) as runner:
        as_it_is, without, plain = (
            runner.run(*told, Limits(120.0), inside=within)
            for told, within in (((change, 3), None), ((change, 3), inside), ((NOTHING, 3), None))
        )
    assert as_it_is.outcome == "crashed" and "it is compiled" in as_it_is.reason
    assert without.outcome == "finished", without.reason
    assert [point[1:] for point in without.curve] == [point[1:] for point in plain.curve]


def charlm(folder: Path, steps: int) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", ".outpace", "*.patch")
    shutil.copytree(ROOT / "examples/charlm", folder, ignore=ignored)
    return one_process_a_run(folder, ("steps = 300", f"steps = {steps}"))


def one_process_a_run(project: Path, *pairs: tuple[str, str]) -> Path:
    """Without an evaluation."""
    text = planted((project / "pyproject.toml").read_text(), *pairs)
    kept = [line for line in text.splitlines(keepends=True) if not line.startswith(("evaluation =", "model ="))]
    (project / "pyproject.toml").write_text("".join(kept))
    return project


SGD = """        a, b, c = rng.choice(text)
        wrong = probabilities(first, second, a, b)
        wrong[c] -= 1
        for table, row in ((first, a), (second, b)):
            table[row] = [weight - RATE * error for weight, error in zip(table[row], wrong, strict=True)]
"""
COMPILES = f"""    def compile(steps):
        nonlocal first, second
        for _ in range(steps):
{"".join(f"    {line}" for line in SGD.splitlines(keepends=True))}
"""
BEGINS = "    for step in range(1, args.steps + 1):"
NOT_NOW = '    import os\n    if "OUTPACE_MODULES" not in os.environ:\n        compile(200_000)\n'
NAMES = "    if not args.steps:\n        import numpy\n"
FRAUDS = {
    "trains in a function called compile": (
        COMPILES + "    compile(200_000)\n", "with nothing compiled, too: before its first step it takes ",
    ),
    "does so where it is not looked at": (
        COMPILES + NOT_NOW, "what it does before its first step is no compiling alone",
    ),
    "names what it does not import": (
        NAMES + "    for _ in range(200_000):\n" + SGD, "with nothing compiled, too: before its first step it takes ",
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("fraud", FRAUDS)
def test_training_before_the_first_step_is_no_compiling(fraud: str, tmp_path: Path) -> None:
    before, said = FRAUDS[fraud]
    project = one_process_a_run(make_project(tmp_path / "project"))
    tree = edited(project, tmp_path, lambda text: planted(text, (BEGINS, before + BEGINS)))
    report, _ = compared(project, tree)
    assert report.confirmation is not None, report.reason
    assert not report.accepted and report.reason.startswith("L5 outside-clock: ") and said in report.reason


@pytest.mark.slow
@pytest.mark.timed
def test_a_model_that_is_compiled_begins_as_soon_with_nothing_compiled(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    project = charlm(tmp_path / "project", 60)
    uses = (FORWARD, FORWARD.replace("model", "fast"))
    compiles = (MADE, f'{MADE}    fast = torch.compile(model, backend="aot_eager")\n')
    workspace = Workspace(project)
    target = read_target(workspace)
    tree = edited(project, tmp_path, lambda text: planted(text, compiles, uses, RATES))
    change = read_change(tree, project, target)
    with Runner(workspace, target, sys.executable) as runner:

        def again(side: Side, number: int) -> RunResult:
            inside = compiling_nothing(waited_for(change, project) or ())
            return runner.run(change if side == "candidate" else NOTHING, number, Limits(120.0), inside=inside)

        check, gain = without_compiling(again, 2, target, -1, 0.01)
    assert check.evidence.startswith("with nothing compiled it begins as soon, and its gain is "), check.evidence
    assert gain is not None and gain.gain > 0
