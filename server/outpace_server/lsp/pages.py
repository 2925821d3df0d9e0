"""Pages of HTML for an editor: of its own where the client asks for them (`outpace/report`), else a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from pygls import uris

from outpace_optimizers.workspace import write_atomically
from outpace_server.lsp.report_uri import report_uri
from outpace_server.lsp.reports import page_of, style

if TYPE_CHECKING:
    from outpace_server.lsp.server import OutpaceServer


class Pages:
    def __init__(self, server: OutpaceServer) -> None:
        self._server = server
        self.waiting: dict[str, dict[str, str]] = {}
        """Made for a client that asks for them, and given away with that."""

    async def show(self, id: str, title: str, body: str, file: Path, what: str) -> None:
        """`body` is markup; `file` takes it where the client has no pages. Raises OSError."""
        server = self._server
        if server.features.profile and server.features.shows_documents:
            self.waiting[id] = {"title": title, "style": style(), "body": body}
            await server.shows(report_uri(id))
            return
        await asyncio.to_thread(_written, file, page_of(title, body))
        # A browser shows it, the editor would show the source.
        if not await server.shows(uris.from_fs_path(str(file)) or "", external=True):
            server.tell(f"{what} is in {file}.")


def _written(path: Path, page: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, page)
