from __future__ import annotations

from lsprotocol import types

from outpace_server.lsp.methods.did_open import opened
from outpace_server.lsp.optimizing import path_of
from outpace_server.lsp.server import OutpaceServer


def notebook_did_open(ls: OutpaceServer, params: types.DidOpenNotebookDocumentParams) -> None:
    if path_of(params.notebook_document.uri) is not None:
        opened(ls, params.notebook_document.uri)
