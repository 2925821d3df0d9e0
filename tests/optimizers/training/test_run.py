"""Single runs of real scripts, in an overlay and in a copy: what is kept, and how each bad one is recognised."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from outpace_optimizers.training.change import NOTHING, Change
from outpace_optimizers.training.config import Budget, Evaluation, Given, TrainingTarget
from outpace_optimizers.training.reading import Reading, TrainingError
from outpace_optimizers.training.run import Limits, Runner, RunResult
from outpace_optimizers.workspace import Workspace

TARGET = TrainingTarget(
    command=("python", "train.py"),
    metric=Reading(key="loss"),
    direction="lower",
    budget=Budget("steps", 4, Given(variable="STEPS")),
    seed=Given(flag="--seed"),
    may_change=("*.py",),
    must_not_change=("data/**",),
    time=Reading(key="seconds"),
)
LOOP = """
import json, os, sys
for step in range(1, int(os.environ["STEPS"]) + 1):
    print(json.dumps({"step": step, "loss": 10 / step, "seconds": 0.01 * step}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/train.txt").write_text("text")
    (tmp_path / ".outpace").mkdir()
    (tmp_path / ".outpace/secret").write_text("seeds")
    return tmp_path


def ran(
    folder: Path, script: str, *, target: TrainingTarget = TARGET, change: Change = NOTHING, overlay: bool = True,
    limits: Limits | None = None,
) -> RunResult:  # fmt: skip
    (folder / "train.py").write_text(script)
    with Runner(Workspace(folder), target, sys.executable) as runner:
        runner.overlay = overlay
        return runner.run(change, 7, limits or Limits(60.0))


@pytest.mark.parametrize("overlay", [True, False], ids=["overlay", "copy"])
def test_a_run_has_the_tree_to_itself(folder: Path, overlay: bool) -> None:
    script = LOOP + (
        "import model, pathlib\n"
        "assert model.X == 2 and not pathlib.Path('gone.py').exists()\n"
        f"assert os.getcwd() == {str(folder)!r} and sys.argv[1:] == ['--seed', '7']\n"
        "assert not pathlib.Path('.outpace/secret').exists(), 'the seeds can be read'\n"
        "open('out.txt', 'w').write('x'); os.remove('train.py'); open('model.py', 'w')\n"
    )
    (folder / "model.py").write_text("X = 1\n")
    (folder / "gone.py").write_text("")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    change = Change({"model.py": b"X = 2\n", "gone.py": None})
    found = ran(folder, script, change=change, overlay=overlay)
    assert (found.outcome, found.reason, found.touched) == ("finished", "", ())
    assert (found.metric, found.claimed_s) == (2.5, 0.04)
    assert [(step, value) for _, step, value in found.curve] == [(1, 10), (2, 5), (3, 10 / 3), (4, 2.5)]
    assert {"pid-ns", "net-ns", "read-only-tree"} <= set(found.protections)
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert after == before | {folder / "train.py": script.encode()}


@pytest.mark.parametrize("overlay", [True, False], ids=["overlay", "copy"])
@pytest.mark.parametrize(
    "crime, touched",
    [
        ("open('data/train.txt', 'r+').write('t')", "data/train.txt"),
        ("t = open('data/train.txt').read(); os.remove('data/train.txt'); open('data/train.txt', 'w').write(t)",
         "data/train.txt"),
        ("shutil.move('data', 'elsewhere'); os.mkdir('data')", "data/train.txt"),
        ("open('data/more.txt', 'w')", "data/more.txt"),
    ],
    ids=["same byte", "put back", "moved", "added"],
)  # fmt: skip
def test_what_touches_protected_files_is_seen(folder: Path, crime: str, touched: str, overlay: bool) -> None:
    found = ran(folder, LOOP + "import shutil; " + crime, overlay=overlay)
    assert (found.outcome, found.touched) == ("finished", (touched,))


BAD = {
    "crashed": (LOOP + "raise ValueError('no such layer')", "exit status 1: ValueError: no such layer"),
    "needs arguments": (
        "from argparse import *\np = ArgumentParser(); p.add_argument('data'); p.parse_args([])",
        "arguments are required: data; put the arguments into command",
    ),
    "needs an argument": (
        "import sys; sys.argv[9]",
        "IndexError: list index out of range; put the arguments into command",
    ),
    "takes no such flag": (
        "from argparse import *; ArgumentParser().parse_args(['--seed', '7'])",
        "unrecognized arguments: --seed 7; name in seed and budget what the script takes",
    ),
    "asks": ("input('continue? ')", "nobody answers a run's questions"),
    "downloads": ("import socket; socket.create_connection(('example.com', 80))", "a run has no network"),
    "asks for a GPU": ("raise RuntimeError('No CUDA GPUs are available')", "that is not there: name the device"),
    "asks for a second GPU": (
        "raise RuntimeError('CUDA error: invalid device ordinal')",
        "or fewer processes, in command",
    ),
    "a process of several": (
        (
            "print('[rank1]: ValueError: no such layer')\nprint('torch.x.ChildFailedError: main.py FAILED')\n"
            "print('  traceback : To enable traceback see the manual')\nprint('=' * 60); raise SystemExit(1)"
        ),
        "exit status 1: ValueError: no such layer",
    ),
    "lacks data": ("open('data/other.txt')", "paths start at the project's root"),
    "gives up at nan": (LOOP + "raise RuntimeError('the loss is nan')", "RuntimeError: the loss is nan"),
    "writes outside": ("open('/usr/x', 'w')", "nowhere else"),
    "no-metric": ("print('training'); print('done')", "matches metric (JSON key 'loss'); the last line is 'done'"),
    "no time": ("print('{\"loss\": 1}')", "matches time (JSON key 'seconds')"),
    "diverged": (LOOP.replace("10 / step", "float('nan')") + "import time; time.sleep(600)", "nan at step 1"),
    "over-budget": (LOOP.replace(") + 1)", ") + 100)"), "it is at step 5 of 4 steps"),
    "out-of-memory": (LOOP + "raise MemoryError", "out of memory"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_run_is_recognised_and_said_in_one_line(name: str, folder: Path) -> None:
    script, reason = BAD[name]
    found = ran(folder, script)
    also = {"no time": "no-metric", "gives up at nan": "diverged"}
    assert found.outcome == also.get(name, name if "-" in name or name == "diverged" else "crashed")
    assert reason in found.reason and "\n" not in found.reason


UNITS = {
    "45.5%": (45.5, ""),
    "45.5,": (45.5, ""),
    "1.4nats": (None, "'1.4nats', which is no number: have its group match the digits alone, without a unit"),
    "n/a": (None, "'n/a', which is no number"),
}


@pytest.mark.parametrize("printed", UNITS)
def test_a_number_with_a_unit(printed: str, folder: Path) -> None:
    value, said = UNITS[printed]
    target = replace(TARGET, metric=Reading(regex=re.compile(r"acc (?P<value>\S+)")), time=None)
    found = ran(folder, f"print('acc {printed} of all')", target=target)
    assert (found.metric, found.outcome) == (value, "finished" if value else "no-metric")
    assert said in found.reason and "\n" not in found.reason


def test_a_bar_that_is_drawn_over_itself(folder: Path) -> None:
    """tqdm's, on the other stream: each state is a line."""
    target = replace(TARGET, metric=Reading(regex=re.compile(r"loss=(\S+)\]")), time=None)
    script = "import sys\nfor n in (3, 2, 1): sys.stderr.write(f'\\r 5%|# | 1/9 [00:00<?, loss=0.{n}]')\nprint('done')"
    found = ran(folder, script, target=target)
    assert [value for _, _, value in found.curve] == [0.3, 0.2, 0.1]


def test_processes_of_one_run_find_each_other(folder: Path) -> None:
    """As those of torchrun do."""
    meets = (
        "import socket as s\nserver = s.create_server(('127.0.0.1', 0))\ns.create_connection(server.getsockname())\n"
    )
    assert ran(folder, meets + LOOP).outcome == "finished"


def test_what_is_read_from_nobody(folder: Path) -> None:
    found = ran(folder, "import sys; assert sys.stdin.read() == ''\n" + LOOP)
    assert found.outcome == "finished"


@pytest.mark.parametrize("seconds, outcome", [(2.05, "finished"), (2.2, "over-budget")])
def test_a_budget_of_seconds_is_by_the_scripts_own_clock(seconds: float, outcome: str, folder: Path) -> None:
    target = replace(TARGET, budget=Budget("seconds", 2.0, Given(flag="--seconds=")))
    line = f'{{"loss": 1, "seconds": {seconds}}}'
    script = f"import sys; assert sys.argv[1:] == ['--seconds=2', '--seed', '7']; print({line!r})"
    found = ran(folder, script, target=target)
    assert (found.outcome, found.claimed_s) == (outcome, seconds)


def test_a_hopeless_run_is_stopped_in_its_second_half(folder: Path) -> None:
    script = LOOP.replace("10 / step", "10 + step") + "import time; time.sleep(600)"
    found = ran(folder, script, limits=Limits(60.0, worst=10.5))
    assert found.outcome == "hopeless" and "12 at step 2, worse than 10.5" in found.reason


def test_a_run_that_takes_too_long_is_ended_with_all_that_it_started(folder: Path) -> None:
    """The pipe would stay open, and the run would not end, while any process of it is left."""
    fork = "import subprocess, time; subprocess.Popen(['sleep', '300'], start_new_session=True); time.sleep(300)"
    started = time.monotonic()
    found = ran(folder, LOOP + fork, limits=Limits(1.0))
    assert found.outcome == "timed-out" and "after 1 s" in found.reason
    assert time.monotonic() - started < 60
    assert found.metric == 2.5


def test_the_metric_is_computed_again_outside_the_script(folder: Path) -> None:
    evaluation = Evaluation(("python", "evaluate.py", "out/model.txt"), "out/model.txt", Reading(key="loss"), 1e-3)
    target = replace(TARGET, evaluation=evaluation)
    (folder / "evaluate.py").write_text("import sys; print('{\"loss\": ' + open(sys.argv[1]).read() + '}')")
    save = "os.mkdir('out'); open('out/model.txt', 'w').write('2.5')"
    spoil = "; open('evaluate.py', 'w').write('print(1)')"
    found = ran(folder, LOOP + save + spoil, target=target)
    assert (found.metric, found.recomputed, found.value) == (2.5, 2.5, 2.5)
    assert "it left no checkpoint out/model.txt" in ran(folder, LOOP, target=target).reason
    link = "os.mkdir('out'); os.symlink('/etc/hostname', 'out/model.txt')"
    assert "it left no checkpoint" in ran(folder, LOOP + link, target=target).reason
    broken = ran(folder, LOOP + save.replace("2.5", "?"), target=target)
    assert broken.outcome == "no-metric" and "the evaluation of its checkpoint gave no metric" in broken.reason


def test_a_command_that_there_is_not(folder: Path) -> None:
    target = replace(TARGET, command=("no-such-python", "train.py"))
    with pytest.raises(TrainingError, match="the command does not start: no-such-python: No such file"):
        ran(folder, LOOP, target=target)


@pytest.mark.parametrize("overlay", [True, False], ids=["overlay", "copy"])
def test_the_projects_own_environment_is_there(folder: Path, overlay: bool) -> None:
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/python").symlink_to(sys.executable)
    (folder / "train.py").write_text(LOOP + f"assert sys.argv and os.path.exists({str(folder / '.venv/bin')!r})")
    with Runner(Workspace(folder), TARGET, str(folder / ".venv/bin/python")) as runner:
        runner.overlay = overlay
        assert runner.run(NOTHING, 7, Limits(60.0)).outcome == "finished"


def test_a_link_to_data_is_protected_like_the_data(folder: Path) -> None:
    (folder / "data").rename(folder.parent / f"{folder.name}-elsewhere")
    (folder / "data").symlink_to(folder.parent / f"{folder.name}-elsewhere")
    assert ran(folder, LOOP + "os.remove('data'); os.mkdir('data')").touched == ("data",)


def test_no_run_leaves_anything_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = folder.parent / f"{folder.name}-scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    ran(folder, LOOP)
    assert not list(scratch.iterdir())
