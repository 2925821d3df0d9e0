from __future__ import annotations

from lsprotocol import types

from outpace_server.lsp.applying import notice
from outpace_server.lsp.server import OutpaceServer


def did_change(ls: OutpaceServer, params: types.DidChangeTextDocumentParams) -> None:
    """What is touched loses its offers at once, and has them again when the change is undone."""
    ls.attend()
    notice(ls, params.text_document.uri)
    ls.typed(params.text_document.uri)
    ls.profiles.typed(params.text_document.uri)
