from __future__ import annotations

from lsprotocol import types

from outpace_server.lsp.server import OutpaceServer


def did_save(ls: OutpaceServer, params: types.DidSaveTextDocumentParams) -> None:
    saved(ls, params.text_document.uri)


def saved(ls: OutpaceServer, uri: str) -> None:
    ls.attend()
    if uri in ls.desk:
        ls.optimizing.queue(uri, "saved")
    ls.speedups.look_again(uri)
    ls.profiles.saved(uri)
