from __future__ import annotations

from lsprotocol import types

from outpace_server.lsp.server import OutpaceServer


def did_change(ls: OutpaceServer, params: types.DidChangeTextDocumentParams) -> None:
    """Offers hold for the text that was measured: they go with the first change, and come back when it is undone."""
    ls.publish(params.text_document.uri)
