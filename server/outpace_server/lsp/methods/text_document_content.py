from __future__ import annotations

from lsprotocol import types

from outpace_server.lsp.report_uri import id_of_report
from outpace_server.lsp.server import OutpaceServer
from outpace_server.report.markdown import markdown
from outpace_server.report.record import Record


def text_document_content(
    ls: OutpaceServer, params: types.TextDocumentContentParams
) -> types.TextDocumentContentResult:
    found = ls.desk.find(id_of_report(params.uri))
    text = markdown(Record(found[1])) if found else "This verdict is of a file that was closed: open it again.\n"
    return types.TextDocumentContentResult(text)
