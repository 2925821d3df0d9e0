"""From `outpace train` to the editor: a campaign on a script that trains, and its edit offered, shown and applied."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_lsp
from editor import Editor, vscode_capabilities
from lsprotocol import types
from pytest_lsp import ClientServerConfig

from training_maker import make_project

SETTINGS = {"runOn": "never", "consent": "never"}
TRIES = 3
RUNS = "6"
"""Pairs: on a machine whose pace changes they may not be proof."""
WORK = "wrong = probabilities(first, second, a, b)"
RULE = '''
"""Somebody else's training rule: work that is done several times over is done once."""
import ast
from outpace_audit.records import Idea
from outpace_optimizers.rules.writing import Edit, make_script_patch


class Rule:
    id, title, claimed_class, page = "work-once", "Do the work once", "exact", "docs/work-once.md"

    def propose_training(self, source):
        edit = Edit()
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and ast.unparse(node) == "range(6)":
                edit.expression(source, node, "range(1)")
        if edit.places:
            patch = make_script_patch(source, edit)
            yield Idea(self.id, "do the work once", "the other times change nothing", "exact", patch)


RULE = Rule()
'''


def plug_in(folder: Path) -> None:
    """A distribution with the rule, as an installed one lies on the path."""
    (folder / "work_once.py").write_text(RULE)
    about = folder / "work_once-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: work-once\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[outpace.training_rules]\nwork-once = work_once:RULE\n")


def train(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"XDG_RUNTIME_DIR": str(project.parent), "PYTHONPATH": str(project.parent)}
    command = [sys.executable, "-m", "outpace_server.cli", "train", *arguments]
    return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, timeout=900, check=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each step of its script does its work six times over; rules have been tried on it."""
    folder = tmp_path_factory.mktemp("offers")
    plug_in(folder)
    project = make_project(folder / "project")
    script, config = project / "train.py", project / "pyproject.toml"
    script.write_text(script.read_text().replace(WORK, f"for _ in range(6):\n            {WORK}"))
    config.write_text(config.read_text() + 'short = { steps = 6000, flag = "--steps" }\n')
    tries = (train(project, "--fresh", "--runs", RUNS) for _ in range(TRIES))
    done = next((one for one in tries if one.returncode != 1), None)
    assert done is not None and done.returncode == 0, done
    ends = done.stdout.partition("\n\n")[2].splitlines()
    assert ends[0].startswith("work-once: faster steps, same training: ")
    assert "fused-optimizer: finds nothing to edit: model.py: it makes no Adam" in ends[1]
    return project


@pytest_lsp.fixture(
    config=ClientServerConfig(
        server_command=[sys.executable, "-m", "outpace_server.cli", "lsp", "--stdio"], client_factory=Editor
    )
)
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


async def offered(editor: Editor, project: Path) -> tuple[str, types.Diagnostic]:
    await editor.start(project, SETTINGS, vscode_capabilities())
    uri = editor.open(project / "train.py")
    shown = await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, lambda params: bool(params.diagnostics))
    (diagnostic,) = shown.diagnostics
    return uri, diagnostic


@pytest.mark.timed(alone=True)
@pytest.mark.asyncio
async def test_what_a_campaign_has_won_is_shown_applied_and_taken_back(editor: Editor, project: Path) -> None:
    uri, diagnostic = await offered(editor, project)
    assert diagnostic.code == "work-once" and "do the work once: " in diagnostic.message
    assert "exact, audited to L5" in diagnostic.message
    line, text = diagnostic.range.start.line, editor.texts[uri]
    actions = {action.title: action for action in await editor.actions(uri, line, [diagnostic])}
    apply = next(action for title, action in actions.items() if title.startswith("Apply do the work once: "))
    assert "Measure again" not in actions and apply.is_preferred

    command = actions["Show audit of work-once"].command
    assert command is not None
    await editor.command(command.command, *(command.arguments or []))
    address = (await editor.expect(types.WINDOW_SHOW_DOCUMENT)).uri
    params = types.TextDocumentContentParams(uri=address)
    audit = (await editor.workspace_text_document_content_async(params)).text
    assert "faster steps, same training: " in audit and "L5 | protected-files | ✓" in audit and "range(1)" in audit
    assert "outpace train --rule work-once --fresh" in audit

    apply = await editor.code_action_resolve_async(apply)
    assert apply.edit is not None and apply.command is not None
    editor.apply(uri, apply.edit)
    assert editor.texts[uri] == text.replace("range(6)", "range(1)")
    await editor.command(apply.command.command, *(apply.command.arguments or []))
    assert [one.title for one in await editor.actions(uri, line, [])] == ["Revert do the work once"]
    said = await editor.expect(types.WINDOW_LOG_MESSAGE)
    assert said.message == "train.py: applied; measure it again with `outpace train`"


@pytest.mark.timed(alone=True)
@pytest.mark.asyncio
async def test_a_script_that_is_not_what_was_trained_has_no_offer(editor: Editor, project: Path) -> None:
    uri, diagnostic = await offered(editor, project)
    line, text = diagnostic.range.start.line, editor.texts[uri]
    editor.type(uri, text + "# more\n")
    gone = await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    assert not gone.diagnostics and not await editor.actions(uri, line, [])
    editor.type(uri, text)
    assert (await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)).diagnostics


@pytest.mark.timed(alone=True)
def test_offers_hold_for_the_code_around_and_are_of_this_user(project: Path) -> None:
    from outpace_optimizers.training_rules.offers import FILE, kept_offers
    from outpace_optimizers.workspace import Workspace

    workspace, script = Workspace(project), project / "train.py"
    assert [one.idea.rule for one in kept_offers(workspace, script, script.read_text())] == ["work-once"]
    assert kept_offers(workspace, script, script.read_text() + "\n") == []
    model = project / "model.py"
    before = model.read_text()
    model.write_text(before + "\n")
    assert kept_offers(workspace, script, script.read_text()) == []
    model.write_text(before)
    kept = workspace.state / FILE
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"signed": "by another"}))
    assert kept_offers(workspace, script, script.read_text()) == []
