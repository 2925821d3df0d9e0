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
    findings = ls.desk.findings(uri, document.source) if document else []
    changed = next((finding.new_text for finding in findings if finding.trial is trial), trial.idea.patch.new_source)
    return types.TextDocumentContentResult(changed)
