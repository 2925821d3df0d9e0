"""An audited edit on its way into the editor, and what follows once it stands there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.workspace import TextDocument

from outpace_server.output.words import one_line

if TYPE_CHECKING:
    from outpace_server.lsp.server import OutpaceServer

MEASURE = "Measure again"


async def apply(server: OutpaceServer, uri: str, id: str) -> None:
    """For editors that take no edit with a code action."""
    document = server.document(uri)
    finding = server.desk.surely(uri, document.source, id) if document else None
    if document is None or finding is None or finding.applied or not finding.trial.verdict.accepted:
        await say_stale(server, uri)
        return
    new_text = finding.new_text(document.source)
    server.desk.hand_out(uri, finding.trial, document.source, new_text)
    label = f"Apply {one_line(finding.trial.idea.title)}"
    await make_edit(server, document, new_text, label, "The editor did not make the edit")


async def make_edit(server: OutpaceServer, document: TextDocument, new_text: str, label: str, refused: str) -> None:
    """Editors refuse an edit of an old version without a reason (VS Code 1.139), so the reason is said here."""
    params = types.ApplyWorkspaceEditParams(edit=server.edit(document, new_text), label=label)
    try:
        done = await server.workspace_apply_edit_async(params)
    except JsonRpcException as error:
        server.tell(f"{refused}: {one_line(str(error))}.")
        return
    if not done.applied:
        server.tell(f"{refused}: {done.failure_reason or 'the file has changed meanwhile'}.")


def notice(server: OutpaceServer, uri: str) -> None:
    """An edit of ours shows in the text. The command that comes with it may come before the text does, and from some
    editors (Zed, 2026) never."""
    document = server.document(uri)
    id = server.desk.made(uri, document.source) if document else None
    if document is not None and id is not None:
        note_applied(server, document, id)


def note_applied(server: OutpaceServer, document: TextDocument, id: str) -> None:
    """Measured again in place, if the text is what the edit should have made, and this is not known yet. Known, it may
    just have been done again after it was undone: only who resolves edits has chosen each that was handed out."""
    uri = document.uri
    known, chosen = server.desk.applied(uri, id), server.features.resolves_edits and server.desk.is_out(uri, id)
    if known is not None and known.after == document.source and not chosen:
        return
    trial = server.desk.mark_applied(uri, id, document.source)
    if trial is None:
        server.log(f"{document.filename}: not measured again: the text is not the one that the edit should have made")
        return
    server.keep_applied(uri, id)
    server.publish(uri)
    _warn_of_file(server, document)
    if trial.whole_text:
        server.log(f"{document.filename}: applied; measure it again with `outpace train`")
    else:
        server.optimizing.measure_again(uri, trial)


def _warn_of_file(server: OutpaceServer, document: TextDocument) -> None:
    """The edit stands in the editor, and will not get into the file by saving alone."""
    path = Path(document.path)
    if path.exists() and not os.access(path, os.W_OK):
        server.tell(
            f"{path.name} is read-only: the edit is in the editor alone. Save it elsewhere, or make it writable."
        )


async def say_stale(server: OutpaceServer, uri: str) -> None:
    changed = "The file has changed since this was measured, so nothing was applied."
    if await server.ask(types.MessageType.Info, changed, MEASURE) == MEASURE:
        server.optimizing.queue_asked(uri)
