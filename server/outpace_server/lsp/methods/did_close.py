from __future__ import annotations

from lsprotocol import types

from outpace_optimizers.notebook import SUFFIX
from outpace_server.lsp.server import OutpaceServer


def did_close(ls: OutpaceServer, params: types.DidCloseTextDocumentParams) -> None:
    if not params.text_document.uri.endswith(SUFFIX):
        closed(ls, params.text_document.uri)


def closed(ls: OutpaceServer, uri: str) -> None:
    ls.optimizing.cancel(uri)
    ls.desk.close(uri)
    ls.profiles.closed(uri)
    ls.publish(uri)
    ls.speedups.look_again(uri)
