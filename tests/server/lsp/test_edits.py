"""Edits of awkward texts, in the units in which each editor counts columns."""

from __future__ import annotations

import codecs
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_lsp
from awkward import TEXTS, faster
from editor import PROFILES, Editor, capabilities_of
from lsprotocol import types
from planted import SOURCE, plant
from pytest_lsp import ClientServerConfig
from wire import COMMAND

SETTINGS = {"runOn": "never", "consent": "never"}


@pytest_lsp.fixture(config=ClientServerConfig(server_command=COMMAND, client_factory=Editor))
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


@pytest.mark.asyncio
@pytest.mark.parametrize("profile", PROFILES)
async def test_what_was_measured_is_what_stands_there_afterwards(editor: Editor, tmp_path: Path, profile: str) -> None:
    await editor.start(tmp_path, SETTINGS, capabilities_of(profile))
    for number, (name, source) in enumerate(TEXTS.items()):
        mark = codecs.BOM_UTF8 if name == "byte-order mark" else b""
        changed = faster(source)
        verdict = ("faster-add", changed, {})
        path = plant(tmp_path, verdict, source=source, name=f"ä {number}/m o d.py", ids=f"{number}v", mark=mark)
        uri = editor.open(path)
        shown = await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, lambda said, uri=uri: said.uri == uri)
        (diagnostic,) = shown.diagnostics
        assert editor.text_in(uri, diagnostic.range).startswith("def work(x):"), name
        (apply, *_) = await editor.actions(uri, diagnostic.range.start.line, [diagnostic])
        if apply.edit is None:
            apply = await editor.code_action_resolve_async(apply)
        assert apply.edit is not None, name
        editor.apply(uri, apply.edit)
        assert editor.texts[uri] == changed, name
        editor.save(uri)
        assert path.read_bytes() == mark + changed.encode(), name


@pytest.mark.asyncio
async def test_emacs_keeps_the_carriage_returns_to_itself(editor: Editor, tmp_path: Path) -> None:
    source = SOURCE.replace("\n", "\r\n")
    path = plant(tmp_path, ("faster-add", faster(source), {}), source=source)
    await editor.start(tmp_path, SETTINGS, capabilities_of("emacs@v29.1"))
    editor.show(path.as_uri(), SOURCE)
    (diagnostic,) = (await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)).diagnostics
    (apply, *_) = await editor.actions(path.as_uri(), diagnostic.range.start.line, [diagnostic])
    assert apply.edit is not None
    editor.apply(path.as_uri(), apply.edit)
    assert editor.texts[path.as_uri()] == faster(SOURCE)
