from __future__ import annotations

from lsprotocol import types

from outpace_server.lsp.server import OutpaceServer


def did_close(ls: OutpaceServer, params: types.DidCloseTextDocumentParams) -> None:
    uri = params.text_document.uri
    ls.optimizing.cancel(uri)
    ls.desk.close(uri)
    ls.publish(uri)
    ls.speedups.look_again(uri)
