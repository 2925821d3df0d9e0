"""`outpace/speedups` and `outpace/report`: what a client that shows them is told, and that others hear nothing."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from editor import Editor, vscode_capabilities
from lsprotocol import types
from planted import FASTER, SOURCE, plant, rejected
from pytest_lsp import ClientServerConfig

from outpace_server.lsp import speedups
from outpace_server.lsp.survey import MOST_FILES, survey

METHOD = "outpace/speedups"
OTHER = SOURCE.replace("y = x + 1", "y = 1 + x")
SETTINGS = {"runOn": "never", "consent": "never"}
BETTER: dict[str, Any] = {"interval": (1.5, 1.6), "speedup": 1.55}
SURE: dict[str, Any] = {"interval": (1.45, 1.46), "speedup": 1.455}


@pytest_lsp.fixture(
    config=ClientServerConfig(
        server_command=[sys.executable, "-m", "outpace_server.cli", "lsp", "--stdio"], client_factory=Editor
    )
)
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.shutdown_session()


async def begin(editor: Editor, path: Path, **settings: Any) -> None:
    capabilities = vscode_capabilities()
    capabilities.experimental = {"outpaceSpeedups": True}
    await editor.start(path.parent, SETTINGS | settings, capabilities)


def forget(editor: Editor) -> None:
    """What was said until now, so that it is not taken for what comes of the next step."""
    editor.unread[:] = [message for message in editor.unread if message[0] != METHOD]


def states(content: Any) -> list[tuple[str, str]]:
    return [(one.rule, one.state) for one in content.speedups]


@pytest.mark.asyncio
async def test_a_workspace_is_known_before_a_file_is_opened(editor: Editor, tmp_path: Path) -> None:
    path = plant(tmp_path, ("other", OTHER, rejected()), ("faster-add", FASTER, SURE), ("third", FASTER + "\n", BETTER))
    (tmp_path / "new.py").write_text(SOURCE.replace("def unrelated", "def _unrelated").replace("work", "fresh"))
    (tmp_path / "helper.py").write_text("def helper(x):\n    return x\n")
    await begin(editor, path)
    content = await editor.expect(METHOD, lambda content: content.speedups)
    assert states(content) == [("third", "offered"), ("faster-add", "offered"), ("other", "rejected")]
    best, _, last = content.speedups
    assert (best.uri, best.line, best.target, best.gain) == (path.as_uri(), 3, "work", "1.55× [1.50, 1.60]")
    assert last.reason == "L2 outputs-against-truth: error 3e-2" and last.gain == "" and best.reason == ""
    several, fresh = content.targets
    assert several.name == "" and several.trouble.startswith("several possible targets (work, unrelated)")
    assert (fresh.name, fresh.line, fresh.trouble, fresh.measured) == ("fresh", 3, "", False)

    report = await editor.protocol.send_request_async("outpace/report", {"id": last.id})
    assert report.title == "work: other in work" and "--paper" in report.style
    assert report.body.startswith("<main>") and "error 3e-2" in report.body
    assert await editor.protocol.send_request_async("outpace/report", {"id": "nothing"}) is None


@pytest.mark.asyncio
async def test_it_follows_what_other_programs_do_to_files_that_are_not_open(editor: Editor, tmp_path: Path) -> None:
    """As a checkout does, which writes many files at once, removes some, and renames others."""
    only = SOURCE.replace("def unrelated", "def _unrelated")

    def named(*names: str) -> Callable[[Any], bool]:
        return lambda content: sorted(Path(one.uri).name for one in content.targets) == sorted(names)

    path = plant(tmp_path, source=only)
    (tmp_path / "node_modules").mkdir()
    await begin(editor, path)
    editor.open(path)
    await editor.expect(METHOD, named("model.py"))
    for name in ("one.py", "two.py", "node_modules/three.py"):
        (tmp_path / name).write_text(only)
    await editor.expect(METHOD, named("model.py", "one.py", "two.py"))
    (tmp_path / "one.py").write_text(f"# moved down\n{only}")
    await editor.expect(METHOD, lambda content: [one.line for one in content.targets] == [3, 4, 3])
    (tmp_path / "one.py").rename(tmp_path / "other.py")
    await editor.expect(METHOD, named("model.py", "other.py", "two.py"))
    (tmp_path / "two.py").unlink()
    await editor.expect(METHOD, named("model.py", "other.py"))


@pytest.mark.asyncio
async def test_it_follows_what_is_typed_dismissed_and_applied(editor: Editor, tmp_path: Path) -> None:
    path = plant(tmp_path, ("faster-add", FASTER, {}), ("other", OTHER, SURE))
    await begin(editor, path)
    uri = editor.open(path)
    await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    shown = await editor.expect(METHOD, lambda content: len(content.speedups) == 2)

    forget(editor)
    editor.type(uri, SOURCE.replace("x + 1", "x + 3"))
    await editor.expect(METHOD, lambda content: not content.speedups)
    editor.type(uri, SOURCE)
    await editor.expect(METHOD, lambda content: len(content.speedups) == 2)

    forget(editor)
    await editor.command("outpace.dismiss", uri, shown.speedups[0].id)
    left = await editor.expect(METHOD, lambda content: len(content.speedups) == 1)
    assert states(left) == [("faster-add", "offered")]

    action = types.CodeAction(title="Apply", data={"uri": uri, "id": left.speedups[0].id})
    resolved = await editor.code_action_resolve_async(action)
    editor.apply(uri, resolved.edit)
    await editor.command(resolved.command.command, *resolved.command.arguments)
    applied = await editor.expect(METHOD, lambda content: ("faster-add", "applied") in states(content))
    assert applied.running == [] or applied.running[0].title == "Measuring model.py again"


@pytest.mark.asyncio
async def test_a_closed_file_is_shown_as_it_is_on_disk(editor: Editor, tmp_path: Path) -> None:
    path = plant(tmp_path, ("faster-add", FASTER, {}))
    await begin(editor, path)
    uri = editor.open(path)
    await editor.expect(METHOD, lambda content: content.speedups)
    forget(editor)
    editor.type(uri, SOURCE.replace("x + 1", "x + 3"))
    await editor.expect(METHOD, lambda content: not content.speedups)
    editor.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))
    again = await editor.expect(METHOD, lambda content: content.speedups)
    assert states(again) == [("faster-add", "offered")]
    forget(editor)
    await editor.command("outpace.dismiss", uri, again.speedups[0].id)
    await editor.expect(METHOD, lambda content: not content.speedups)


@pytest.mark.asyncio
async def test_a_file_is_there_once_however_its_address_is_escaped(editor: Editor, tmp_path: Path) -> None:
    """Editors differ in which characters they escape."""
    folder = tmp_path / "a+b"
    folder.mkdir()
    path = plant(folder, ("faster-add", FASTER, {}))
    await begin(editor, path)
    await editor.expect(METHOD, lambda content: content.speedups)
    uri = path.as_uri().replace("%2B", "+")
    item = types.TextDocumentItem(uri=uri, language_id="python", version=1, text=SOURCE)
    editor.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
    content = await editor.expect(METHOD, lambda content: any(one.uri == uri for one in content.speedups))
    assert [one.uri for one in content.speedups] == [uri] == [one.uri for one in content.targets]


@pytest.mark.asyncio
async def test_without_trust_targets_are_read_and_the_ledger_is_not(editor: Editor, tmp_path: Path) -> None:
    """A repository may bring a ledger along that claims anything."""
    path = plant(tmp_path, ("faster-add", FASTER, {}))
    path.write_text(SOURCE.replace("def unrelated", "def _unrelated"))
    await begin(editor, path, trusted=False)
    content = await editor.expect(METHOD)
    assert content.speedups == [] and [target.name for target in content.targets] == ["work"]
    assert not (tmp_path / ".outpace" / "engine.lock").exists()


@pytest.mark.asyncio
async def test_a_run_without_a_verdict_says_why_until_the_file_changes(editor: Editor, tmp_path: Path) -> None:
    path = tmp_path / "work.py"
    path.write_text(SOURCE.replace("def unrelated", "def _unrelated"))
    await begin(editor, path, runOn="save", consent="always", interpreter="/nowhere/python")
    uri = editor.open(path)
    editor.save(uri)
    said = await editor.expect(METHOD, lambda content: any(one.outcome for one in content.targets))
    assert "no interpreter" in said.targets[0].outcome and not said.targets[0].measured
    forget(editor)
    editor.type(uri, editor.texts[uri] + "# a thought\n")
    assert [one.outcome for one in (await editor.expect(METHOD)).targets] == [""]


@pytest.mark.asyncio
async def test_who_does_not_ask_for_it_hears_nothing(editor: Editor, tmp_path: Path) -> None:
    path = plant(tmp_path, ("faster-add", FASTER, {}))
    await editor.start(tmp_path, SETTINGS, vscode_capabilities())
    editor.open(path)
    await editor.expect(types.WORKSPACE_CODE_LENS_REFRESH)  # comes after a pause as long as that of the notification
    assert not [method for method, _ in editor.unread if method == METHOD]


def test_a_survey_leaves_out_what_is_installed_and_stops_somewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = SOURCE.replace("def unrelated", "def _unrelated")
    environment = tmp_path / "env"
    for folder in (tmp_path / "src", environment / "lib", tmp_path / ".hidden", tmp_path / "site-packages"):
        folder.mkdir(parents=True)
        (folder / "model.py").write_text(target)
    (environment / "pyvenv.cfg").touch()
    places, all_of_it = survey(tmp_path)
    assert [place.path for place in places] == [tmp_path / "src" / "model.py"] and all_of_it

    assert MOST_FILES > 2
    monkeypatch.setattr("outpace_server.lsp.survey.MOST_FILES", 2)
    for number in range(3):
        (tmp_path / f"m{number}.py").write_text(target)
    places, all_of_it = survey(tmp_path)
    assert len(places) == 2 and not all_of_it


def test_our_own_messages_are_in_the_guide() -> None:
    server = Path(speedups.__file__).parent
    said = re.compile(r'"(outpace/\w+|outpace[A-Z]\w+)"')
    names = {name for path in server.rglob("*.py") for name in said.findall(path.read_text())}
    assert {"outpace/speedups", "outpaceSpeedups"} <= names
    guide = (Path(__file__).parents[3] / "docs/editor.md").read_text()
    assert not {name for name in names if f"`{name}`" not in guide}
