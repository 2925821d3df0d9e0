from __future__ import annotations

from lsprotocol import types

from outpace_server.lsp.report import id_of_report, markdown
from outpace_server.lsp.server import OutpaceServer


def text_document_content(
    ls: OutpaceServer, params: types.TextDocumentContentParams
) -> types.TextDocumentContentResult:
    found = ls.desk.find(id_of_report(params.uri))
    text = markdown(found[1]) if found else "This verdict is of a file that was closed: open it again.\n"
    return types.TextDocumentContentResult(text)
