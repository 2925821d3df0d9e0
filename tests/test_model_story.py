"""Ideas of a model from the command line to the verdict: litellm itself, a server on loopback, a real judge."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model_server import ModelServer, Refusal, idea, serving
from outpace_optimizers.evidence import read_evidence
from outpace_optimizers.rules.registry import load_rules

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("litellm") is None, reason="litellm is not installed: pip install 'outpace[model]'"
)
MODEL = "openai/scripted"
RULES = ("torch-compile", "explicit-attention", "loop-invariant", "loop-to-batch")
LOOP = """    outputs = []
    for head in range(q.shape[1]):
        scores = q[:, head] @ k[:, head].transpose(-2, -1) / math.sqrt(q.shape[-1])
        outputs.append(torch.softmax(scores, dim=-1) @ v[:, head])
    return torch.stack(outputs, dim=1)
"""
BATCHED = """    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    return torch.softmax(scores, dim=-1) @ v
"""
UNSCALED = "    return torch.softmax(q @ k.transpose(-2, -1), dim=-1) @ v\n"
RENAMED = '    """Batched."""\n' + BATCHED.replace("scores", "weights")
SECRET = "hunter2hunter2"


def project(folder: Path) -> Path:
    path = folder / "heads.py"
    text = (Path(__file__).parent / "hacks" / "baseline.py").read_text()
    path.write_text(text.replace("    outputs = []", f'    # password = "{SECRET}"\n    outputs = []'))
    return path


def outpace(server: ModelServer, *arguments: str, cwd: Path) -> tuple[int, dict[str, Any]]:
    skipped = [part for rule in RULES for part in ("--skip", rule)]
    environ = os.environ | {"OPENAI_API_KEY": "sk-none", "OPENAI_API_BASE": server.url}
    done = subprocess.run(
        [sys.executable, "-m", "outpace_server.cli", "optimize", "heads.py", "--device", "cpu", "--json", *skipped,
         "--model", MODEL, *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=280, stdin=subprocess.DEVNULL, env=environ,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)


@pytest.mark.timed
def test_a_wrong_idea_is_repaired_wins_and_is_not_paid_for_again(tmp_path: Path) -> None:
    project(tmp_path)
    replies = (
        Refusal(429), "Sure! Batch the heads.", idea((LOOP, UNSCALED)), idea((LOOP, BATCHED), title="batch the heads"),
        idea((LOOP, RENAMED)), idea(("torch.randn(1, 64", "torch.randn(1, 1")), idea(("not there", "")),
    )  # fmt: skip
    with serving(*replies) as server:
        status, document = outpace(server, "--yes", "--budget", "4m", cwd=tmp_path)
        assert status == 0, document
        assert [trial["accepted"] for trial in document["trials"]] == [False, True], document
        wrong, right = document["trials"]
        assert wrong["reason"].startswith("outputs-against-truth")
        assert right["change"] == f"batch the heads (by {MODEL})"
        assert right["proposer"] == f"model {MODEL}"
        assert right["interval"][0] > 1
        assert read_evidence(Path(right["evidence"])).trial.idea.proposer == f"model {MODEL}"
        assert "AuthenticationError" in document["stop"]

        prompts = server.prompts
        assert "not one JSON object" in prompts[2]
        assert "L2, check outputs-against-truth" in prompts[3]
        assert "accepted, " in prompts[4], "the next idea was asked for without the verdict on the last"
        assert "the same change as one that was tried" in prompts[5]
        assert "outside what may change" in prompts[6]
        assert not any(SECRET in json.dumps(question) for question in server.questions)
        spend = document["model"]
        assert (spend["calls"], spend["tokens"], spend["dollars"], spend["unusable"]) == (6, 6600, None, 4)

        asked = len(server.questions)
        status, document = outpace(server, "--budget", "4m", cwd=tmp_path)
        assert status == 0, document
        assert [trial["known_since"] is None for trial in document["trials"]] == [False, False]
        assert document["model"]["calls"] == 0
        assert document["model"]["remembered"] == 6
        assert len(server.questions) == asked + 1, "only what was refused is asked again"


def test_in_a_pipe_nothing_is_sent_before_somebody_has_agreed(tmp_path: Path) -> None:
    project(tmp_path)
    with serving() as server:
        status, document = outpace(server, cwd=tmp_path)
        assert status == 2
        assert "nobody has agreed" in document["error"]["message"]
        assert "--yes" in document["error"]["message"]
        assert not server.questions


STACKED = """import math

import torch


def heads(q, k, v):
    outputs = []
    for head in range(q.shape[1]):
        scores = q[:, head] @ k[:, head].transpose(-2, -1) / math.sqrt(q.shape[-1])
        outputs.append(torch.softmax(scores, dim=-1) @ v[:, head])
    mixed = torch.stack(outputs, dim=1)
    rows = []
    for row in range(mixed.shape[2]):
        rows.append(mixed[:, :, row] * 2.0)
    return torch.stack(rows, dim=2)


def get_inputs():
    return [torch.randn(1, 64, 48, 16) for _ in range(3)]
"""
HEADS = STACKED[STACKED.index("    outputs = []") : STACKED.index("    rows = []")]
ROWS = STACKED[STACKED.index("    rows = []") : STACKED.index("\n\ndef get_inputs")]
ALL_HEADS = """    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    mixed = torch.softmax(scores, dim=-1) @ v
"""
MEMO = """def twice(mixed, memo={}):
    if mixed.shape not in memo:
        memo[mixed.shape] = mixed * 2.0
    return memo[mixed.shape]


def heads(q, k, v):"""


@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.timeout(900)
def test_a_night_with_a_model_composes_catches_a_cheat_and_leaves_its_best(tmp_path: Path) -> None:
    """One is wrong, is repaired and wins; a second builds on it; a third remembers its results; a fourth is prose."""
    path = tmp_path / "heads.py"
    path.write_text(STACKED)
    (tmp_path / "pyproject.toml").write_text("")
    unscaled = ALL_HEADS.replace(" / math.sqrt(q.shape[-1])", "")
    replies = (
        idea((HEADS, unscaled), title="forget the scale"), idea((HEADS, ALL_HEADS), title="batch the heads"),
        idea((ROWS, "    return mixed * 2.0\n"), title="batch the rows"),
        idea(("def heads(q, k, v):", MEMO), ("return mixed * 2.0", "return twice(mixed)"), title="remember"),
        "I would rather not say.",
    )  # fmt: skip
    skipped = [part for rule in load_rules().rules for part in ("--skip", rule.id)]
    with serving(*replies) as server:
        environ = os.environ | {"OPENAI_API_KEY": "sk-none", "OPENAI_API_BASE": server.url}

        def run(*arguments: str) -> tuple[int, str]:
            done = subprocess.run(
                [sys.executable, "-m", "outpace_server.cli", *arguments], cwd=tmp_path, capture_output=True, text=True,
                timeout=800, stdin=subprocess.DEVNULL, env=environ,
            )  # fmt: skip
            return done.returncode, done.stdout

        night = ("optimize", ".", "--overnight", "--device", "cpu", "--json", *skipped, "--model", MODEL, "--yes")
        status, said = run(*night)
        document = json.loads(said)
        assert status == 0 and document["final"], document
        (target,) = document["targets"]
        trials = {trial["title"].removesuffix(f" (by {MODEL})"): trial for trial in target["trials"]}
        assert [trials[title]["accepted"] for title in ("forget the scale", "batch the heads")] == [False, True], trials
        composed, cheat = trials["batch the rows"], trials["remember"]
        assert composed["accepted"] and target["best"] == composed["verdict"]
        assert composed["interval"][0] > trials["batch the heads"]["interval"][0]
        assert not cheat["accepted"] and cheat["failed"][:2] in ("L0", "L1", "L2", "L3"), cheat
        assert "AuthenticationError" in target["stop"]
        assert (document["wins"], document["model"]["calls"], document["model"]["tokens"]) == (2, 5, 5500)
        lessons = json.loads((tmp_path / ".outpace/lessons.json").read_text())["lessons"]
        rest_on = {verdict: one["outcome"] for one in lessons for verdict in one["verdicts"]}
        assert rest_on[composed["verdict"]] == "faster", lessons
        page = (tmp_path / ".outpace/overnight.html").read_text()
        assert composed["verdict"] in page and cheat["failed"] in page

        status, said = run(*night)
        again = json.loads(said)
        assert status == 0 and again["night"] != document["night"]
        assert (again["model"]["calls"], again["wins"]) == (0, 0), "known verdicts and replies cost a new night nothing"

    for title in ("batch the heads", "batch the rows"):
        changed = tmp_path / "changed.py"
        changed.write_text(read_evidence(Path(trials[title]["evidence"])).trial.idea.patch.new_source)
        assert run("audit", "heads.py", "changed.py", "--device", "cpu")[0] == 0, f"{title} passes no fresh audit"
    assert run("apply")[0] == 0
    assert "mixed * 2.0\n" in path.read_text() and "for " not in path.read_text().partition("def get_inputs")[0]
