"""A person's path through a real server and a real engine: save, see, look, apply, and have it measured again."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_lsp
from editor import Editor, vscode_capabilities
from lsprotocol import types
from pytest_lsp import ClientServerConfig

EXAMPLE = Path(__file__).parents[3] / "examples" / "attention.py"
RENAMED = {"CausalSelfAttention": "Mixer", "n_head": "lanes", "n_embd": "width", "c_attn": "fused", "att": "weights"}
SETTINGS = {"runOn": "save", "consent": "always", "budgetSeconds": 1, "device": "cpu"}


@pytest_lsp.fixture(
    config=ClientServerConfig(
        server_command=[sys.executable, "-m", "outpace_server.cli", "lsp", "--stdio"], client_factory=Editor
    )
)
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


def moved_example(folder: Path) -> Path:
    """The attention example elsewhere and under other names: nothing may hang on how it is spelled here."""
    text = EXAMPLE.read_text()
    for old, new in RENAMED.items():
        text = re.sub(rf"\b{old}\b", new, text)
    path = folder / "moved.py"
    path.write_text(text)
    return path


@pytest.mark.timed
@pytest.mark.asyncio
async def test_from_save_to_an_applied_and_remeasured_edit(editor: Editor, tmp_path: Path) -> None:
    path = moved_example(tmp_path)
    await editor.start(tmp_path, SETTINGS, vscode_capabilities())
    registered = await editor.expect(types.CLIENT_REGISTER_CAPABILITY)
    assert {one.id for one in registered.registrations} == {"settings", "reports"}
    await editor.expect(types.WORKSPACE_CONFIGURATION)

    uri = editor.open(path)
    editor.save(uri)
    said = await editor.progress("Optimizing moved.py")
    assert "starting the judge" in said[0] and said[-1] == "done"
    shown = await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, lambda params: params.diagnostics)
    (diagnostic,) = shown.diagnostics
    assert diagnostic.code == "explicit-attention"
    assert "audited to L4" in diagnostic.message and "[" in diagnostic.message, "no number without its interval"
    assert editor.texts[uri].splitlines()[diagnostic.range.start.line].lstrip().startswith("def forward")

    line = diagnostic.range.start.line
    actions = await editor.actions(uri, line, list(shown.diagnostics))
    apply, show = (next(a for a in actions if a.title.startswith(word)) for word in ("Apply", "Show audit"))
    assert apply.edit is None and apply.kind == types.CodeActionKind.QuickFix
    assert await editor.actions(uri, 0, []) == []

    await editor.command(show.command.command, *show.command.arguments)
    report = await editor.expect(types.WINDOW_SHOW_DOCUMENT)
    content = await editor.workspace_text_document_content_async(types.TextDocumentContentParams(uri=report.uri))
    assert "outputs-against-truth" in content.text and "outpace replay" in content.text

    measured = editor.texts[uri]
    editor.type(uri, measured.replace("weights = F.softmax(weights", "weights = 2 * F.softmax(weights"))
    assert not (await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)).diagnostics
    refused = await editor.code_action_resolve_async(apply)
    assert refused.edit is None and refused.command.command == "outpace.stale"
    await editor.command(refused.command.command, *refused.command.arguments)
    assert "changed since" in (await editor.expect(types.WINDOW_SHOW_MESSAGE_REQUEST)).message

    editor.type(uri, measured)
    assert len((await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)).diagnostics) == 1
    resolved = await editor.code_action_resolve_async(apply)
    editor.apply(uri, resolved.edit)
    assert "scaled_dot_product_attention" in editor.texts[uri]
    assert not (await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)).diagnostics

    await editor.command(resolved.command.command, *resolved.command.arguments)
    assert (await editor.progress("Measuring moved.py again"))[-1] == "done"
    (note,) = (await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)).diagnostics
    assert note.severity == types.DiagnosticSeverity.Hint and "measured again in place" in note.message

    for said_in_log in ("✓ explicit-attention", "1 change tried", "applied, measured again"):
        await editor.expect(types.WINDOW_LOG_MESSAGE, lambda params, text=said_in_log: text in params.message)
    refreshes = (types.WORKSPACE_CODE_LENS_REFRESH, types.WORKSPACE_INLAY_HINT_REFRESH)
    assert [message for message in editor.unread if message[0] not in refreshes] == []
