"""Open documents, with the lines that the protocol counts.

pygls (2.1.1) ends a line wherever `str.splitlines` does, at a form feed or U+2028 too. Editors do not, and with the
next edit below such a character the server's text would no longer be the editor's.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from urllib.parse import unquote

from lsprotocol import types
from pygls.workspace import TextDocument, Workspace

from outpace_optimizers.source import lines_of

LOGGED = 200
"""Characters of an address in the log."""
logger = logging.getLogger("outpace")


class Document(TextDocument):
    @property
    def lines(self) -> Sequence[str]:
        return lines_of(self.source)


class Documents(Workspace):
    @classmethod
    def like(cls, workspace: Workspace) -> Documents:
        """The same workspace, with nothing open."""
        folders = list(workspace.folders.values())
        return cls(workspace.root_uri, workspace_folders=folders, position_encoding=workspace.position_encoding)

    def update_text_document(
        self, text_doc: types.VersionedTextDocumentIdentifier, change: types.TextDocumentContentChangeEvent
    ) -> None:
        if unquote(text_doc.uri) in self.text_documents:
            super().update_text_document(text_doc, change)
        else:
            logger.warning("%s was changed, but is not open", text_doc.uri[:LOGGED])

    def _create_text_document(
        self, doc_uri: str, source: str | None = None, version: int | None = None, language_id: str | None = None
    ) -> Document:
        sync = types.TextDocumentSyncKind.Incremental
        return Document(doc_uri, source, version, language_id, sync_kind=sync, position_codec=self.position_codec)
