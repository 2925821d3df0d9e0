from __future__ import annotations

import asyncio
from pathlib import Path

from lsprotocol import types

from outpace_audit.errors import OutpaceError
from outpace_optimizers.notebook import SUFFIX
from outpace_optimizers.records import Trial
from outpace_optimizers.workspace import Workspace
from outpace_server.lsp import applied_edits
from outpace_server.lsp.desk import read_ahead, with_ends_like
from outpace_server.lsp.optimizing import on_disk, path_of
from outpace_server.lsp.server import CUDA_SUFFIXES, OutpaceServer
from outpace_server.marked import is_marked


def did_open(ls: OutpaceServer, params: types.DidOpenTextDocumentParams) -> None:
    uri = params.text_document.uri
    path = path_of(uri)
    if path is not None and path.suffix != SUFFIX:  # the JSON of a notebook is nobody's code
        opened(ls, uri)
    elif uri.endswith(CUDA_SUFFIXES):
        ls.attend()
        ls.publish(uri)  # from its text alone, wherever it lies


def opened(ls: OutpaceServer, uri: str) -> None:
    """What the ledger knows of this very text is offered at once; then it is measured in the background."""
    ls.attend()
    ls.desk.open(uri)
    ls.watch(uri)
    ls.profiles.opened(uri)
    if ls.settings.enable and ls.settings.trusted:
        ls.in_background(_offer_known(ls, uri))
    if ls.settings.run_on == "open":
        ls.optimizing.queue(uri, "background")


async def _offer_known(ls: OutpaceServer, uri: str) -> None:
    document, path = ls.document(uri), path_of(uri)
    if document is None or path is None:
        return
    if edits := await asyncio.to_thread(applied_edits.kept, Workspace.of(path), path):
        ls.desk.restore(uri, edits)
        ls.publish(uri)
    await _offer_training(ls, uri, path, document.source)
    if not await asyncio.to_thread(is_marked, path):
        return  # no engine is started for the many files that nobody measures
    text = await asyncio.to_thread(_as_on_disk, path, document.source)
    ls.desk.remember(uri, text)
    try:
        link = await ls.engines.of(Workspace.of(path))
        known = await link.offers(str(path), text)
    except (OutpaceError, OSError) as error:
        ls.log(f"{path.name}: {error}", types.MessageType.Warning)
        return
    await asyncio.to_thread(read_ahead, text, known)
    ls.desk.add(uri, known)
    ls.publish(uri)


async def _offer_training(ls: OutpaceServer, uri: str, path: Path, source: str) -> None:
    """What training rules have won on this very text, by `outpace train`."""
    text = await asyncio.to_thread(_as_on_disk, path, source)
    try:
        won = await asyncio.to_thread(_won, path, text)
    except OSError as error:
        ls.log(f"{path.name}: {error}", types.MessageType.Warning)
        return
    if won:
        ls.desk.remember(uri, text)
        ls.desk.add(uri, won)
        ls.publish(uri)


def _won(path: Path, text: str) -> list[Trial]:
    from outpace_optimizers.training_rules.offers import FILE, kept_offers  # most projects have none

    workspace = Workspace.of(path)
    return kept_offers(workspace, path, text) if (workspace.state / FILE).is_file() else []


def _as_on_disk(path: Path, text: str) -> str:
    """The file's own text where the editor's is the same but for the ends of its lines."""
    there = on_disk(path)
    return there if there is not None and with_ends_like(there, text) == text else text
