"""`outpace capture` by hand: what it prints, and that what it saw can be optimized without `get_inputs`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import math
import sys
import torch


def parsed(text):
    return int(text)


heads = parsed(sys.argv[1])


def attend(q, k, v, *, gain):
    mask = torch.tril(torch.ones(q.size(-2), q.size(-2)))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    scores = scores.masked_fill(mask == 0, float("-inf"))
    return torch.softmax(scores, dim=-1) @ v * (gain * heads)


for step in range(3):
    q, k, v = torch.randn(2, heads, 16, 3 * 8).chunk(3, dim=-1)
    attend(q, k, v, gain=0.5)
    print("step", step)
raise SystemExit(0 if heads == 4 else "trained")
"""


def outpace(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "outpace_server.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "train.py").write_text(SCRIPT)
    return tmp_path


@pytest.mark.slow
def test_a_script_that_trains_on_import_is_captured_and_optimized(project: Path) -> None:
    ran = outpace(project, "capture", "--", sys.executable, "train.py", "4")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "step 0\nstep 1\nstep 2\n"
    assert (
        "not to be repeated: parsed: it takes no tensor\nnext: outpace optimize train.py --target attend" in ran.stderr
    )

    # Under `exact` a fused attention is rejected by its first values: all that capture has to provide was used by then.
    options = ("--policy", "exact", "--device", "cpu", "--skip", "torch-compile", "--json")
    ran = outpace(project, "optimize", "train.py", *options)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    document = json.loads(ran.stdout)
    (trial,) = document["trials"]
    assert trial["target"] == "attend"
    assert trial["rule"] == "explicit-attention"
    assert trial["level"] == "L1", trial["reason"]
    assert "policy is exact" in trial["reason"]
    assert any("captured from" in note for note in document["notes"])


def test_json_has_everything_and_only_the_script_prints_before_it(project: Path) -> None:
    ran = outpace(project, "capture", "--json", "--", sys.executable, "train.py", "4")
    document = json.loads(ran.stdout.split("step 2\n")[1])
    target, other = document["targets"]
    assert (other["target"], other["trouble"]) == ("parsed", "it takes no tensor")
    assert (target["target"], target["calls"], target["trouble"]) == ("attend", 3, None)
    assert target["workloads"][0]["tensors"][0]["stride"] == [1536, 384, 24, 1]


def test_a_failing_script_is_said_so_and_what_it_showed_is_kept(project: Path) -> None:
    ran = outpace(project, "capture", "--", sys.executable, "train.py", "2")
    assert ran.returncode == 0
    assert "ended with status 1" in ran.stderr
    assert (project / ".outpace/captures").is_dir()


@pytest.mark.parametrize(
    "command, said",
    [
        (["train.py"], "is a script, not a command"),
        (["no-such-program"], "no such command"),
    ],
)
def test_a_wrong_command_is_one_line(project: Path, command: list[str], said: str) -> None:
    ran = outpace(project, "capture", "--", *command)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_nothing_captured_says_what_to_do(project: Path) -> None:
    (project / "empty.py").write_text("import math\n")
    ran = outpace(project, "capture", "--", sys.executable, "empty.py")
    assert ran.returncode == 1
    assert "name another project with --workspace" in ran.stderr


def test_a_script_that_fails_at_once_is_not_told_of_another_project(project: Path) -> None:
    ran = outpace(project, "capture", "--", sys.executable, "missing.py")
    assert ran.returncode == 1
    assert "the script ended with status 2\n" in ran.stderr
    assert "until then it called nothing that is defined below" in ran.stderr
    assert "--workspace" not in ran.stderr
