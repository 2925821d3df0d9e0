from __future__ import annotations

from lsprotocol import types

from outpace_server.lsp.applying import notice
from outpace_server.lsp.server import OutpaceServer


def notebook_did_change(ls: OutpaceServer, params: types.DidChangeNotebookDocumentParams) -> None:
    ls.attend()
    notice(ls, params.notebook_document.uri)
    ls.publish(params.notebook_document.uri)
