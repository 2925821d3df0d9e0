from __future__ import annotations

from lsprotocol import types

from outpace_server.lsp.report_uri import SCHEME, id_of
from outpace_server.lsp.reports import markdown_of
from outpace_server.lsp.server import OutpaceServer


def text_document_content(
    ls: OutpaceServer, params: types.TextDocumentContentParams
) -> types.TextDocumentContentResult:
    found = ls.desk.find(id_of(params.uri))
    if found is None:
        return types.TextDocumentContentResult("This verdict is of a file that was closed: open it again.\n")
    uri, trial = found
    if params.uri.startswith(f"{SCHEME}:"):
        return types.TextDocumentContentResult(markdown_of((ls.audited(trial.id) or found)[1]))
    document = ls.document(uri)
    text = document.source if document else ""
    findings = ls.desk.findings(uri, text) if document else []
    made = (finding.new_text(text) for finding in findings if finding.trial is trial)
    return types.TextDocumentContentResult(next(made, trial.idea.patch.new_source))
