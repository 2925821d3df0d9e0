"""The server and what its parts share: the desk, the engines, what the client can do and what the user has set."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.workspace import TextDocument

from outpace_server.engine_link import EngineLinks
from outpace_server.lsp.client_features import ClientFeatures, client_features
from outpace_server.lsp.desk import Desk
from outpace_server.lsp.optimizing import Optimizing, path_of
from outpace_server.lsp.publishing import diagnostics_of
from outpace_server.lsp.settings import Settings
from outpace_server.version import VERSION
from outpace_server.watching import Watching

if TYPE_CHECKING:
    from pygls.server import ServerErrors

NO_FEATURES = client_features(types.ClientCapabilities())
logger = logging.getLogger("outpace")


class OutpaceServer(LanguageServer):
    def __init__(self) -> None:
        super().__init__("outpace", VERSION)
        self.desk = Desk()
        self.engines = EngineLinks()
        self.features: ClientFeatures = NO_FEATURES
        self.settings = Settings()
        self.optimizing = Optimizing(self)
        self.wrong_settings: list[str] = []
        self.watching: Watching | None = None
        self._published: dict[str, list[types.Diagnostic]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def in_background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Work that belongs to no request: a request pending at shutdown would end in an error."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("background work failed", exc_info=error)
            self.log(f"internal error: {type(error).__name__}: {error}; please report it", types.MessageType.Error)

    def stop_work(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.engines.close()
        if self.watching is not None:
            self.watching.close()

    def log(self, message: str, kind: types.MessageType = types.MessageType.Info) -> None:
        self.window_log_message(types.LogMessageParams(type=kind, message=message))

    def document(self, uri: str) -> TextDocument | None:
        """An open document."""
        return self.workspace.text_documents.get(uri)

    def watch(self, uri: str) -> None:
        path = path_of(uri)
        if path is None or self.watching is None:
            return
        try:
            self.watching.add(path.parent)
        except OSError as error:
            self.log(f"{path.parent} is not watched ({error}): save in the editor to measure")

    def changed_on_disk(self, path: Path) -> None:
        """Of the open files, one that another program wrote. What the editor saves is told by the editor, too."""
        for uri in self.workspace.text_documents:
            if path_of(uri) == path:
                self.optimizing.queue_if_new(uri)

    def publish(self, uri: str) -> None:
        """Sends a file's diagnostics if they are not what was sent last."""
        document = self.document(uri)
        found: list[types.Diagnostic] = []
        if document is not None and self.settings.enable:
            text = document.source
            severity = self.settings.diagnostics_severity
            found = diagnostics_of(document, self.desk.offers(uri, text), self.desk.applied(uri, text), severity)
        if found != self._published.get(uri, []):
            version = document.version if document else None
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))
            self._published[uri] = found

    def report_server_error(self, error: Exception, source: ServerErrors) -> None:
        """Into the log: pygls's own way opens a message box for every failing notification."""
        logger.error("%s", error, exc_info=error)
