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
    document, path = ls.document(uri), path_of(uri)
    if document is not None and path is not None and ls.settings.enable and ls.settings.trusted:
        ls.in_background(_offer_known(ls, uri, path, document.source))
    if ls.settings.run_on == "open":
        ls.optimizing.queue(uri, "background")


async def _offer_known(ls: OutpaceServer, uri: str, path: Path, shown: str) -> None:
    """`shown`: the text as it was opened. Somebody may be typing by the time that anything is known."""
    texts = await asyncio.to_thread(_texts, path, shown)
    if edits := await asyncio.to_thread(applied_edits.kept, Workspace.of(path), path, texts):
        ls.desk.restore(uri, edits)
        ls.publish(uri)
    for text in texts:
        await _offer_training(ls, uri, path, text)
    if not await asyncio.to_thread(is_marked, path):
        return  # no engine is started for the many files that nobody measures
    for text in texts:
        ls.desk.remember(uri, text)
        try:
            known = await ls.engines.offers(Workspace.of(path), str(path), text)
        except (OutpaceError, OSError) as error:
            ls.log(f"{path.name}: {error}", types.MessageType.Warning)
            return
        await asyncio.to_thread(read_ahead, text, known)
        ls.desk.add(uri, known)
        ls.publish(uri)
        if known:
            return


async def _offer_training(ls: OutpaceServer, uri: str, path: Path, text: str) -> None:
    """What training rules have won on this very text, by `outpace train`."""
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


def _texts(path: Path, shown: str) -> list[str]:
    """The file's own, which is what was measured, and the editor's where that is another one: with changes that are not
    saved, or where another program has written the file since."""
    there = on_disk(path)
    if there is None:
        return [shown]
    return [there] if with_ends_like(there, shown) == shown else [there, shown]
