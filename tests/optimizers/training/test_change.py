"""What a candidate changes, from a tree or a patch, and what its text is refused for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from outpace_optimizers.training import audits
from outpace_optimizers.training.carried import carried_data
from outpace_optimizers.training.change import Change, read_change
from outpace_optimizers.training.config import Budget, Given, TrainingTarget
from outpace_optimizers.training.files import matches
from outpace_optimizers.training.process import cpu_s
from outpace_optimizers.training.reading import Reading, TrainingError
from outpace_optimizers.training.run import RunResult
from outpace_optimizers.training.watch import Point, waited

TARGET = TrainingTarget(
    command=("python", "train.py"),
    metric=Reading(key="loss"),
    direction="lower",
    budget=Budget("steps", 4, Given()),
    seed=Given(flag="--seed"),
    may_change=("train.py", "model/**"),
    must_not_change=("data/**",),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for path, text in {"train.py": "a\nb\nc\n", "model/net.py": "x\n", "data/t.txt": "t\n", "notes.md": "n\n"}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture
def tree(root: Path) -> Path:
    copy = root.parent / "copy"
    shutil.copytree(root, copy)
    (copy / "train.py").write_text("a\nB\nc\n")
    (copy / "model/net.py").unlink()
    (copy / "model/new.py").write_text("y\n")
    (copy / "weights.bin").write_text("left by a run")
    return copy


EXPECTED = Change({"train.py": b"a\nB\nc\n", "model/net.py": None, "model/new.py": b"y\n"})


def test_a_tree_and_the_patch_of_it_are_the_same_change(root: Path, tree: Path) -> None:
    change = read_change(tree, root, TARGET)
    assert change.files == EXPECTED.files
    patch = root.parent / "change.patch"
    patch.write_text(change.diff(root))
    again = read_change(patch, root, TARGET)
    assert again.files == change.files and again.key == change.key
    assert (root / "train.py").read_text() == "a\nb\nc\n"


def test_a_patch_made_by_git_inside_a_repository(root: Path, tree: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=root.parent, check=True)
    command = ["git", "diff", "--no-index", "--src-prefix=a/", "--dst-prefix=b/", "project/train.py", "copy/train.py"]
    made = subprocess.run(command, cwd=root.parent, capture_output=True, text=True, check=False).stdout
    patch = root.parent / "one.patch"
    patch.write_text(made.replace("project/", "").replace("copy/", ""))
    assert read_change(patch, root, TARGET).files == {"train.py": b"a\nB\nc\n"}


@pytest.mark.parametrize(
    "text, message",
    [
        ("no patch at all", "does not apply to the project"),
        ("--- a/train.py\n+++ b/train.py\n@@ -1 +1 @@\n-z\n+y\n", "does not apply to the project"),
        ("--- /dev/null\n+++ b/../evil.py\n@@ -0,0 +1 @@\n+y\n", "evil.py"),
    ],
)
def test_patches_that_are_none(root: Path, text: str, message: str) -> None:
    patch = root.parent / "bad.patch"
    patch.write_text(text)
    with pytest.raises(TrainingError, match=message):
        read_change(patch, root, TARGET)
    assert not (root.parent / "evil.py").exists()


def test_nothing_to_compare(root: Path) -> None:
    copy = root.parent / "same"
    shutil.copytree(root, copy)
    for against, message in ((copy, "changes no file"), (root, "is the project itself"), (root / "x", "no such")):
        with pytest.raises(TrainingError, match=message):
            read_change(against, root, TARGET)


@pytest.mark.parametrize(
    "path, evidence",
    [
        ("data/t.txt", "which must not change"),
        ("notes.md", "which may-change does not name"),
        ("model/json.py", "which hides a module of that name"),
        ("model/numpy/__init__.py", "which hides a module of that name"),
        ("model/__init__.py", ""),
        ("model/types.py", ""),
        ("model/package/random.py", ""),
        ("train.py", ""),
    ],
)
def test_only_named_files_may_change(path: str, evidence: str, root: Path) -> None:
    (root / "model/types.py").touch()
    (root / "model/package").mkdir()
    (root / "model/package/__init__.py").touch()
    check = audits.edited_files(Change({path: b"z"}), root, TARGET)
    assert check.passed == (not evidence) and evidence in check.evidence


SEEDS = {
    "torch.manual_seed(7)": True,
    "SEED = 7\ntorch.manual_seed(SEED)": True,
    "from torch import manual_seed as m\nm(3 + 4)": True,
    "import numpy as xp\nxp.random.seed(1)": True,
    "torch.manual_seed(args.seed)": False,
    "def f(seed): torch.manual_seed(seed)": False,
    "seed = 7\nseed = int(argv[1])\ntorch.manual_seed(seed)": False,
    "signs = torch.Generator().manual_seed(5)": False,
    "torch.manual_seed(1)": False,
}


@pytest.mark.parametrize("text", SEEDS)
def test_a_seed_that_stands_in_the_text(text: str, root: Path) -> None:
    """The last one is the baseline's own."""
    (root / "train.py").write_text("torch.manual_seed(1)\n")
    assert audits.fixed_seeds(Change({"train.py": text.encode()}), root).passed != SEEDS[text]


DATA: dict[str, tuple[str, bytes, str]] = {
    "a table of weights": (
        "train.py",
        f"W = {[0.01 * n for n in range(500)]}".encode(),
        "499 numbers more",
    ),
    "weights as text": ("train.py", b'W = "' + b"x0Yz" * 600 + b'"', "2400 letters more"),
    "weights in lines": ("train.py", b'W = """' + b"\n".join([b"x0Yz" * 19] * 40) + b'"""', "3040 letters more"),
    "weights in one number": ("train.py", b"W = 0x" + b"9" * 4000, "numbers more than it had"),
    "a checkpoint": ("model/start.pt", bytes(5000), "5000 bytes more than it had"),
    "code": ("train.py", (Path(audits.__file__).read_bytes()), ""),
    "coefficients": ("train.py", f"C = {[1.5 + n for n in range(40)]}".encode(), ""),
    "its own numbers": ("model/table.py", f"W = {[0.5 * n for n in range(900)]}\n".encode(), ""),
}


@pytest.mark.parametrize("name", DATA)
def test_what_was_trained_beforehand(name: str, root: Path) -> None:
    path, data, evidence = DATA[name]
    (root / "train.py").write_text("X = 1\n")
    (root / "model/table.py").write_text(f"W = {[0.25 * n for n in range(900)]}\n")
    check = carried_data(Change({path: data}), root)
    assert check.passed == (not evidence) and evidence in check.evidence


def run(seed: int, value: float, *, claimed: float | None = None, outside: float = 10.0) -> RunResult:
    curve: tuple[Point, ...] = ((1.0, 1, 9.0), (2.0, 2, value))
    return RunResult(seed, "finished", "", value, None, claimed, outside, curve, (), (), "here")


@pytest.mark.parametrize(("busy", "passed"), [((1.0, 1.02, 1.01), True), ((2.0, 2.02, 2.04), False)])
def test_a_step_that_keeps_more_processors_busy(busy: tuple[float, ...], passed: bool) -> None:
    """Though it takes as long by the clock: another process trains beside it."""
    sides = [
        [replace(run(seed, 2.0), busy_s=one) for seed, one in enumerate(times)] for times in ((1.0, 1.01, 1.02), busy)
    ]
    check = audits.outside_clock(*sides, TARGET)
    assert check.passed == passed and (passed or "2.00 times as much of the processors' time" in check.evidence)


def test_time_of_all_processors_is_that_of_children_too() -> None:
    busy = "while time.process_time() < 0.2: pass"
    code = f"import os, time\nif not os.fork():\n  {busy}\n  os._exit(0)\nos.wait(); print(); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline()
        assert cpu_s(os.getpid()) >= cpu_s(child.pid) >= 0.19
        child.communicate(b"\n")
    assert cpu_s(child.pid) == 0.0


def test_seeds_that_do_not_count() -> None:
    assert audits.different_seeds([run(1, 2.0), run(2, 2.1), run(1, 2.0)]).passed
    assert (
        "seeds 1 and 3 gave the same curve" in audits.different_seeds([run(1, 2.0), run(2, 2.1), run(3, 2.0)]).evidence
    )


def test_more_training_time_than_time() -> None:
    check = audits.outside_clock([run(1, 2.0, claimed=8.0)], [run(2, 2.0, claimed=11.0)], TARGET)
    assert not check.passed and "it says 11 s of training, and the whole run took 10 s" in check.evidence


@pytest.mark.parametrize(
    "times, passed", [((10.0, 10.5, 9.8), True), ((18.0, 18.5, 17.8), False), ((9.0, 40.0, 9.0), True)]
)
def test_more_work_for_the_same_steps(times: tuple[float, ...], passed: bool) -> None:
    baseline = [run(seed, 2.0, outside=outside) for seed, outside in enumerate((10.0, 10.2, 9.9))]
    candidate = [run(seed, 2.0, outside=outside) for seed, outside in enumerate(times)]
    assert audits.outside_clock(baseline, candidate, TARGET).passed == passed


@pytest.mark.parametrize(
    ("waited", "start", "passed"),
    [(None, 4.6, False), (1.0, 4.6, False), (0.5, 4.6, False), (3.0, 4.6, True), (3.0, 7.5, False), (99.0, 8.5, False)],
)
def test_a_start_on_a_machine_that_lets_the_baseline_wait(waited: float | None, start: float, passed: bool) -> None:
    """A second more on an idle machine is three seconds more where everything waits twice as long as it works; what
    would be longer on an idle one is seen on a busy one, too, and a candidate's own waiting is no excuse."""

    def began(seed: int, at_s: float, waited: float | None) -> RunResult:
        curve: tuple[Point, ...] = ((at_s, 1, 9.0), (at_s + 1.0, 101, 2.0))
        return replace(run(seed, 2.0, outside=at_s + 1.1), curve=curve, waited=waited)

    baseline = [began(seed, 3.0 + 0.02 * seed, waited) for seed in range(3)]
    candidate = [began(seed, start + 0.02 * seed, 99.0) for seed in range(3)]
    check = audits.outside_clock(baseline, candidate, TARGET)
    assert check.passed == passed and (passed or "before its first step it takes" in check.evidence)


@pytest.mark.parametrize(("steps_s", "passed"), [(0.3, True), (0.8, False)])
def test_a_start_that_may_be_longer_is_no_work_of_a_short_run(steps_s: float, passed: bool) -> None:
    """A compiler's start, beside steps that take less time than it; steps that take longer are seen beside it."""

    def began(seed: int, at_s: float, steps_s: float) -> RunResult:
        curve: tuple[Point, ...] = ((at_s, 1, 9.0), (at_s + steps_s, 301, 2.0))
        return replace(run(seed, 2.0, outside=at_s + steps_s), curve=curve)

    baseline = [began(seed, 1.0 + 0.01 * seed, 0.3) for seed in range(3)]
    candidate = [began(seed, 1.9 + 0.01 * seed, steps_s) for seed in range(3)]
    assert audits.outside_clock(baseline, candidate, TARGET).passed == passed


def test_how_long_a_run_waited_before_its_first_step() -> None:
    points: list[Point] = [(0.5, None, 9.0), (3.0, 1, 9.0), (4.0, 2, 8.0)]
    assert waited(points, [(0.4, 0.2), (2.99, 1.0), (4.0, 1.9)]) == 3.0
    assert waited(points[:1], [(0.4, 0.2)]) is None and waited(points, []) is None


@pytest.mark.parametrize("before_s, passed", [(2.0, True), (2.5, True), (6.0, False)])
def test_work_before_the_clock(before_s: float, passed: bool) -> None:
    target = replace(TARGET, budget=Budget("seconds", 10.0, Given()))
    noise = (-0.1, 0.0, 0.1)
    baseline = [run(seed, 2.0, claimed=10.0, outside=12.0 + more) for seed, more in enumerate(noise)]
    candidate = [run(seed, 2.0, claimed=10.0, outside=10.0 + before_s + more) for seed, more in enumerate(noise)]
    assert audits.outside_clock(baseline, candidate, target).passed == passed


@pytest.mark.parametrize(
    "pattern, path, found",
    [
        ("data/**", "data/a/b.bin", True), ("data/", "data/a", True), ("data/*", "data/a/b", False),
        ("*.py", "a/b.py", False), ("**/*.py", "b.py", True), ("**/*.py", "a/c/b.py", True),
        ("train.py", "xtrain.py", False),
        ("a?.txt", "ab.txt", True), ("a.b", "axb", False),
    ],
)  # fmt: skip
def test_patterns(pattern: str, path: str, found: bool) -> None:
    assert matches(path, (pattern,)) == found
