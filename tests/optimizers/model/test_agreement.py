"""Which model, which files, and whether anybody has agreed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from outpace_audit.errors import ModelError
from outpace_optimizers.model import consent
from outpace_optimizers.model.settings import model_request
from outpace_optimizers.model.shown import require_shown
from outpace_optimizers.records import ModelRequest
from outpace_optimizers.workspace import Workspace
from outpace_server.cli import main

REQUEST = ModelRequest("openai/x")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    for name in ("OUTPACE_STATE", "OPENAI_API_BASE", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return Workspace(tmp_path)


def test_nobody_is_asked_until_a_model_is_named(workspace: Workspace) -> None:
    assert model_request(workspace, None) is None
    named = model_request(workspace, "ollama/qwen")
    assert named == ModelRequest("ollama/qwen")


def test_the_project_names_it_and_its_limits_and_the_command_has_the_last_word(workspace: Workspace) -> None:
    (workspace.root / "pyproject.toml").write_text(
        '[tool.outpace]\nmodel = "ollama/qwen"\nmodel-dollars-per-day = 2\nmodel-paths = ["src/**"]\n'
        "model-ahead = true\n"
    )
    found = model_request(workspace, None, dollars=0.5)
    assert found == ModelRequest("ollama/qwen", dollars_per_run=0.5, dollars_per_day=2.0, paths=("src/**",), ahead=True)
    assert model_request(workspace, "off") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('model = "gpt-5"', "write provider/name"),
        ("model = 3", "write provider/name"),
        ('model = "a/b"\nmodel-dollars-per-run = -1', "model-dollars-per-run must be a number above 0"),
        ('model = "a/b"\nmodel-ideas = 1.5', "model-ideas must be a whole number"),
        ('model = "a/b"\nmodel-paths = "src"', "must be a list of patterns"),
        ('model = "a/b"\nmodel-ahead = 1', "model-ahead must be true or false"),
        ('model = "a/b"\nmodel-dollar = 1', "no setting model-dollar"),
        ("model = ", "pyproject.toml: "),
    ],
)
def test_a_wrong_setting_is_named(workspace: Workspace, text: str, said: str) -> None:
    (workspace.root / "pyproject.toml").write_text(f"[tool.outpace]\n{text}\n")
    with pytest.raises(ModelError, match=said):
        model_request(workspace, None)


def test_an_agreement_holds_for_what_was_shown_and_no_more(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not consent.is_given(REQUEST, workspace)
    consent.give(REQUEST, workspace)
    assert consent.is_given(REQUEST, workspace)
    assert consent.is_given(replace(REQUEST, dollars_per_run=0.1, ideas=99), workspace)
    for other in (
        replace(REQUEST, name="openai/y"),
        replace(REQUEST, dollars_per_day=50.0),
        replace(REQUEST, tokens_per_run=1 << 40),
        replace(REQUEST, paths=("**/*",)),
    ):
        assert not consent.is_given(other, workspace)
    monkeypatch.setenv("OPENAI_API_BASE", "http://elsewhere.example")
    assert not consent.is_given(REQUEST, workspace), "the address changed"
    with pytest.raises(ModelError, match="nobody has agreed"):
        consent.require(REQUEST, workspace)


def test_a_repository_cannot_bring_an_agreement_along(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    consent.give(REQUEST, workspace)
    file = workspace.state / consent.FILE
    kept = json.loads(file.read_text())
    with monkeypatch.context() as patched:
        patched.setenv("XDG_STATE_HOME", str(workspace.root / "somebody"))
        assert not consent.is_given(REQUEST, workspace), "somebody else gave it"
    assert consent.is_given(REQUEST, workspace)
    kept["value"][REQUEST.name]["dollars_per_day"] = 1000.0
    file.write_text(json.dumps(kept))
    assert not consent.is_given(REQUEST, workspace), "it was raised afterwards"
    file.write_text("[]")
    assert not consent.is_given(REQUEST, workspace)


@pytest.mark.parametrize(
    ("file", "patterns", "shown"),
    [
        ("a.py", ("**/*.py",), True),
        ("src/deep/a.py", ("**/*.py",), True),
        ("src/deep/a.py", ("src/**",), True),
        ("src/deep/a.py", ("src/**/*.py",), True),
        ("src/a.py", ("src/**/*.py",), True),
        ("lib/a.py", ("src/**",), False),
        ("src/deep/a.py", ("src/*.py",), False),
        ("a.py", ("src/**", "a.py"), True),
        (".hidden/a.py", ("**/*.py",), False),
        ("../a.py", ("**/*.py",), False),
    ],
)
def test_only_files_of_the_project_that_match_are_shown(
    workspace: Workspace, file: str, patterns: tuple[str, ...], shown: bool
) -> None:
    if shown:
        require_shown(workspace.root / file, workspace, patterns)
    else:
        with pytest.raises(ModelError, match="not shown"):
            require_shown(workspace.root / file, workspace, patterns)


def test_a_model_and_no_sandbox_exclude_each_other(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    path = workspace.root / "a.py"
    path.write_text("def f(x):\n    return x\n")
    assert main(["optimize", str(path), "--model", "openai/x", "--yes", "--unsandboxed"]) == 2
    assert "exclude each other" in capsys.readouterr().err
    assert not (workspace.state / consent.FILE).exists()
