from __future__ import annotations

from lsprotocol import types

from outpace_server.lsp.methods.did_save import saved
from outpace_server.lsp.server import OutpaceServer


def notebook_did_save(ls: OutpaceServer, params: types.DidSaveNotebookDocumentParams) -> None:
    saved(ls, params.notebook_document.uri)
