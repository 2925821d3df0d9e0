"""A search that is killed for good goes on: same questions, same limits, nothing paid twice."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model_server import ModelServer, Silence, idea, serving

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("litellm") is None, reason="litellm is not installed: pip install 'outpace[model]'"
)
SCRIPT = Path(__file__).with_name("one_search.py")
PATIENCE_S = 200


def number(value: int, call: str) -> str:
    return idea(("x + 1", f"torch.{call}(x + {value})"), title=f"number {value}")


def started(folder: Path, server: ModelServer, ideas: int, *more: str) -> subprocess.Popen[str]:
    environ = os.environ | {"OPENAI_API_KEY": "sk-none", "OPENAI_API_BASE": server.url}
    command = [sys.executable, str(SCRIPT), str(folder), str(ideas), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    return json.loads(out)


@pytest.mark.slow
def test_a_killed_search_goes_on_within_its_limits_and_pays_for_nothing_twice(tmp_path: Path) -> None:
    silence = Silence()
    replies = [number(2, "abs"), number(3, "neg"), silence, number(4, "exp"), number(5, "sin"), number(6, "cos")]
    with serving(*replies) as server:
        first = started(tmp_path, server, 4)
        assert silence.heard.wait(PATIENCE_S)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        kept = json.loads((tmp_path / ".outpace" / "lessons.json").read_text())
        assert [one["approach"] for one in kept["lessons"]] == ["adds abs", "adds neg"]

        again = ended(started(tmp_path, server, 4))
        assert again["titles"] == [f"number {value} (by openai/scripted)" for value in (2, 3, 4)]
        assert again["stop"] == "the model was asked 4 times, the limit of a run"
        assert (again["calls"], again["remembered"]) == (4, 2)
        assert again["tokens"] > 3 * 1100 + 8_000, "the call that was under way may have been charged"
        assert "ended from outside" in again["heard"][0]
        asked = [question["messages"] for question in server.questions]
        assert len(asked) == 4
        assert asked[2] == asked[3], "the question that had no answer is asked again, in the same words"

        new = ended(started(tmp_path, server, 1))
        assert (new["calls"], new["remembered"]) == (1, 3), (
            "a run that has ended is followed by one with its own limits"
        )
        assert len(server.questions) == 5


@pytest.mark.slow
def test_one_that_is_killed_while_it_asks_ahead_goes_on_with_the_same_questions(tmp_path: Path) -> None:
    silence = Silence()
    replies = [number(2, "abs"), number(3, "neg"), silence, number(4, "exp")]
    with serving(*replies) as server:
        first = started(tmp_path, server, 4, "ahead")
        assert silence.heard.wait(PATIENCE_S)
        first.send_signal(signal.SIGKILL)
        first.communicate()

        again = ended(started(tmp_path, server, 4, "ahead"))
        assert again["titles"] == [f"number {value} (by openai/scripted)" for value in (2, 3, 4)]
        assert again["stop"] == "the model was asked 4 times, the limit of a run"
        assert (again["calls"], again["remembered"]) == (4, 2)
        assert again["tokens"] > 3 * 1100 + 8_000, "the call that was under way may have been charged"
        asked = [question["messages"] for question in server.questions]
        assert len(asked) == 4
        assert asked[2] == asked[3], "the question that had no answer is asked again, in the same words"
        assert "not known yet:\nnumber 3 (by openai/scripted) (model)" in asked[3][-1]["content"]
