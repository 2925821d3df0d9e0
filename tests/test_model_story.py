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
