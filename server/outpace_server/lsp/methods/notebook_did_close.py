from __future__ import annotations

from lsprotocol import types

from outpace_server.lsp.methods.did_close import closed
from outpace_server.lsp.server import OutpaceServer


def notebook_did_close(ls: OutpaceServer, params: types.DidCloseNotebookDocumentParams) -> None:
    closed(ls, params.notebook_document.uri)
