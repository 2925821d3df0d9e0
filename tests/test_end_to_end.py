"""The command as a user runs it: real rules, a real judge, real processes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from outpace_optimizers.evidence import read_evidence, samples_of
from sol_maker import FILLING, PRODUCT, make_entry, make_problem


def outpace(*arguments: str, cwd: Path, timeout: float = 280) -> tuple[int, dict[str, Any]]:
    """Exit status and JSON document of one command."""
    done = subprocess.run(
        [sys.executable, "-m", "outpace_server.cli", *arguments, "--json"],
        cwd=cwd, capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)


@pytest.mark.timed
def test_a_large_gain_is_accepted_remembered_and_replayed(tmp_path: Path) -> None:
    (tmp_path / "heads.py").write_text((Path(__file__).parent / "hacks" / "baseline.py").read_text())
    # torch.compile takes half a minute for each shape of a loop over 64 heads; one change is enough.
    skipped = ("--skip", "torch-compile", "--skip", "explicit-attention")
    command = ("optimize", "heads.py", *skipped, "--device", "cpu")
    status, document = outpace(*command, cwd=tmp_path)
    assert status == 0, document
    trial = next(trial for trial in document["trials"] if trial["rule"] == "loop-to-batch")
    assert {"change", "class", "speedup", "interval", "level", "replay"} <= trial.keys()
    assert trial["accepted"], trial["reason"]
    assert trial["interval"][0] > 1
    assert trial["known_since"] is None
    evidence = read_evidence(Path(trial["evidence"]))
    assert evidence.trial.verdict.id == trial["id"]
    assert evidence.committed_at < evidence.written_at
    assert len(samples_of(evidence, evidence.trial.verdict.timings[0])) == trial["timings"][0]["pairs"]

    status, document = outpace(*command, cwd=tmp_path)
    known = next(other for other in document["trials"] if other["id"] == trial["id"])
    assert known["known_since"] is not None, "it was measured again"
    assert known["interval"] == trial["interval"]

    status, document = outpace("replay", trial["replay"].split()[-1], cwd=tmp_path)
    assert status == 0, document
    again = document["trials"][0]
    assert again["accepted"], again["reason"]
    assert again["interval"][0] <= trial["interval"][1]
    assert trial["interval"][0] <= again["interval"][1]


def test_audit_rejects_a_wrong_candidate_file(tmp_path: Path) -> None:
    hacks = Path(__file__).parent / "hacks"
    for name in ("baseline", "drops_scale"):
        (tmp_path / f"{name}.py").write_text((hacks / f"{name}.py").read_text())
    status, document = outpace("audit", "baseline.py", "drops_scale.py", "--device", "cpu", cwd=tmp_path)
    assert status == 1
    assert "outputs-against-truth" in document["trials"][0]["reason"]


HEAD = "import torch\n"
INPUTS = "def get_inputs():\n    return [torch.randn(8, 8)]\n"


@pytest.mark.parametrize(
    ("source", "arguments", "said"),
    [
        ("def f(x:\n    pass\n", (), r"bad\.py:1: "),
        ("def f(x):\n    return x\n", (), "get_inputs"),
        (f"{HEAD}def f(x):\n    return x * 2\n{INPUTS}", ("--target", "g"), "no target 'g'; targets: f"),
        (f"{HEAD}def f(x):\n    return x\ndef get_inputs():\n    raise OSError('no data')\n", (), "no data"),
        (f"{HEAD}import not_there\ndef f(x):\n    return x\n{INPUTS}", (), "No module named 'not_there'"),
        (
            f"{HEAD}class M(torch.nn.Module):\n    def __init__(self, n):\n        super().__init__()\n{INPUTS}",
            (),
            "get_init_inputs",
        ),
        (
            f"{HEAD}def f(x):\n    return torch.ones(1 << 40, 1 << 6)\n{INPUTS}",
            (),
            "out of memory .* make the inputs smaller",
        ),
        (
            f"{HEAD}OWN = torch.Generator()\ndef f(x):\n    return torch.rand(x.shape, generator=OWN) + x\n{INPUTS}",
            (),
            "draws random numbers .* that differ from call to call",
        ),
        (f"{HEAD}def f(x):\n    return x * 2\n{INPUTS}", ("--python", "/not/there"), "no interpreter"),
        (f"{HEAD}def f(x):\n    return x * 2\n{INPUTS}", ("--python", "no-torch"), "no usable torch"),
    ],
)
def test_bad_input_gets_one_clear_error(tmp_path: Path, source: str, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "bad.py").write_text(source)
    if "no-torch" in arguments:
        arguments = ("--python", str(interpreter_without_torch(tmp_path)))
    status, document = outpace("optimize", "bad.py", "--budget", "1s", "--device", "cpu", *arguments, cwd=tmp_path)
    assert status == 2
    message = document["error"]["message"]
    assert re.search(said, message), message
    assert "Traceback" not in message


def interpreter_without_torch(folder: Path) -> Path:
    """This Python, without its site packages."""
    path = folder / "python"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    path.chmod(0o755)
    return path


def test_a_state_folder_that_cannot_be_written_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fine.py").write_text(f"{HEAD}def f(x):\n    return x * 2\n{INPUTS}")
    (tmp_path / "in_the_way").write_text("a file")
    monkeypatch.setenv("OUTPACE_STATE", str(tmp_path / "in_the_way"))
    status, document = outpace("optimize", "fine.py", "--budget", "1s", cwd=tmp_path)
    assert status == 2
    assert "set OUTPACE_STATE" in document["error"]["message"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_entries_of_the_benchmark_are_judged_and_traced(tmp_path: Path) -> None:
    problem, trace = make_problem(tmp_path / "rows"), tmp_path / "trace.jsonl"
    right = make_entry(tmp_path / "right.json", {"main.py": FILLING, "parts/product.py": PRODUCT})
    make_entry(tmp_path / "wrong.json", {"main.py": FILLING, "parts/product.py": PRODUCT.replace("* scale", "")})
    options = ("--device", "cpu", "--trace", str(trace))
    status, document = outpace("audit", "rows", "--solution", "wrong.json", *options, cwd=tmp_path)
    assert status == 1, document
    assert [json.loads(line)["evaluation"]["status"] for line in trace.open()] == ["INCORRECT_NUMERICAL"] * 2
    status, document = outpace("audit", str(problem), "--solution", str(right), *options, cwd=tmp_path)
    assert status in (0, 1), document  # how fast it is depends on the machine, what it computes does not
    found = [json.loads(line)["evaluation"] for line in trace.open()]
    assert [one["status"] for one in found] == ["PASSED"] * 2, document["trials"][0]["reason"]
    assert all(one["performance"]["latency_ms"] > 0 for one in found)
    carried = read_evidence(Path(document["trials"][0]["evidence"])).trial.idea.patch.files
    assert [file.path for file in carried] == ["main.py", "parts/product.py"]
