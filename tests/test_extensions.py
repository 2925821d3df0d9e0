"""C++ that a file builds as it runs, as a user meets it: real builds by g++, a real judge."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from model_server import idea, serving
from test_end_to_end import outpace

pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None or (shutil.which("ninja") is None and importlib.util.find_spec("ninja") is None),
    reason="no g++ or no ninja",
)

EXAMPLE = Path(__file__).parents[1] / "examples" / "extension.py"
COMMAND = ("--device", "cpu", "--skip", "torch-compile", "--skip", "tuner", "--budget", "600s")


@pytest.mark.slow
@pytest.mark.timed(alone=True)
@pytest.mark.timeout(1500)
def test_flags_of_an_extension_are_changed_built_and_audited(tmp_path: Path) -> None:
    """torch's headers alone take g++ half a minute, for each side."""
    (tmp_path / "extension.py").write_text(EXAMPLE.read_text())
    status, document = outpace("optimize", "extension.py", *COMMAND, cwd=tmp_path, timeout=1400)
    assert status == 0, document
    (trial,) = (trial for trial in document["trials"] if trial["rule"] == "extension-flags")
    assert trial["accepted"], trial["reason"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_candidate_that_does_not_compile_is_told_what_the_compiler_said(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    (tmp_path / "extension.py").write_text(text)
    broken = text.replace("float sum = 0.0f;", "float sum = 0.0f")
    assert broken != text
    (tmp_path / "broken.py").write_text(broken)
    status, document = outpace("audit", "extension.py", "broken.py", "--device", "cpu", cwd=tmp_path, timeout=800)
    assert status == 1, document
    reason = document["trials"][0]["reason"]
    assert "the extension 'outpace_gated' does not compile: main.cpp:" in reason, reason


SUM = "      sum += v * v * 0.5f;\n"
OUT = "  auto out = torch::empty({x.size(0)}, x.options());\n"


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("litellm") is None, reason="litellm is not installed")
def test_a_model_edits_the_cpp_and_is_told_the_compilers_error(tmp_path: Path) -> None:
    (tmp_path / "extension.py").write_text(EXAMPLE.read_text())
    broken = OUT + "  return out.square(\n"
    reads = SUM.replace("0.5f", '(std::getenv("HOME") ? 0.5f : 0.0f)')
    with serving(idea((OUT, broken)), idea((SUM, reads))) as server:
        done = subprocess.run(
            [sys.executable, "-m", "outpace_server.cli", "optimize", "extension.py", "--json", *COMMAND,
             "--skip", "extension-flags", "--model", "openai/scripted", "--yes"],
            cwd=tmp_path, capture_output=True, text=True, timeout=280, stdin=subprocess.DEVNULL,
            env=os.environ | {"OPENAI_API_KEY": "sk-none", "OPENAI_API_BASE": server.url},
        )  # fmt: skip
    slip, read = json.loads(done.stdout)["trials"]
    assert "does not compile: main.cpp:" in slip["reason"]
    assert "does not compile" in server.prompts[1]
    assert read["reason"].startswith("hard-crimes")
