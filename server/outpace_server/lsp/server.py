"""The server and what its parts share: the desk, the engines, what the client can do and what the user has set."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError
from pygls.io_ import StdoutWriter, run_async
from pygls.lsp.server import LanguageServer
from pygls.workspace import TextDocument

from outpace_audit.errors import OutpaceError
from outpace_optimizers.notebook import SUFFIX
from outpace_optimizers.records import Trial
from outpace_optimizers.workspace import Workspace
from outpace_server.engine_link import EngineLinks
from outpace_server.lsp import applied_edits
from outpace_server.lsp.attention import Attention
from outpace_server.lsp.client_features import ClientFeatures, client_features
from outpace_server.lsp.consent import Consent
from outpace_server.lsp.desk import Desk, Finding
from outpace_server.lsp.dismissals import Dismissals
from outpace_server.lsp.documents import Documents
from outpace_server.lsp.edits import workspace_edit
from outpace_server.lsp.optimizing import Optimizing, path_of
from outpace_server.lsp.protocol import Protocol
from outpace_server.lsp.publishing import diagnostics_of
from outpace_server.lsp.reading import reader_of
from outpace_server.lsp.settings import Settings
from outpace_server.lsp.sheet import Sheet
from outpace_server.lsp.speedups import Speedups
from outpace_server.output.words import one_line
from outpace_server.version import VERSION

if TYPE_CHECKING:
    from pygls.server import ServerErrors

    from outpace_server.lsp.pages import Pages
    from outpace_server.lsp.profiles import Profiles
    from outpace_server.lsp.profiling import Profiling
    from outpace_server.watching import Watching

CUDA_SUFFIXES = (".cu", ".cuh")
TOUCHED_S = 0.02
"""After a key that takes an offer away: less than a frame or two, more than the questions that come with the key."""
MOVED_S = 0.2
"""After the last key, before an editor is told where is now what it has moved itself."""
PAUSE_S = 0.5
"""In typing, before lenses and hints are asked for again."""
LOGGED = 200
"""Characters of a message that was not understood: enough to tell which, however long it is."""
NOTEBOOKS = types.NotebookDocumentSyncOptions(
    notebook_selector=[
        types.NotebookDocumentFilterWithNotebook(
            notebook=types.NotebookDocumentFilterNotebookType(notebook_type="jupyter-notebook"),
            cells=[types.NotebookCellLanguage(language="python")],
        )
    ],
    save=True,
)
NO_FEATURES = client_features(types.ClientCapabilities())
logger = logging.getLogger("outpace")


@dataclass(frozen=True, slots=True)
class Pending:
    """Diagnostics that are about to be sent. `soon`: because something comes or goes."""

    handle: asyncio.TimerHandle
    soon: bool


class OutpaceServer(LanguageServer):
    def __init__(self) -> None:
        super().__init__("outpace", VERSION, protocol_cls=Protocol, notebook_document_sync=NOTEBOOKS)
        self.desk = Desk()
        self.engines = EngineLinks()
        self.features: ClientFeatures = NO_FEATURES
        self.settings = Settings()
        self.optimizing = Optimizing(self)
        self.consent = Consent(self)
        self.dismissed = Dismissals()
        self.attention = Attention()
        self.speedups = Speedups(self)
        self.wrong_settings: list[str] = []
        self._told: set[str] = set()
        self.watching: Watching | None = None
        self._published: dict[str, list[types.Diagnostic]] = {}
        self._shown_for: dict[str, set[str]] = {}
        """Addresses that show a file or notebook, by its own."""
        self._shown_last: dict[str, object] = {}
        self._publishing: dict[str, Pending] = {}
        """What follows a key, by file."""
        self._refreshing: asyncio.Task[Any] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @cached_property
    def profiles(self) -> Profiles:
        """Imported once `initialize` is answered, as all that profiles need."""
        from outpace_server.lsp.profiles import Profiles

        return Profiles(self)

    @cached_property
    def pages(self) -> Pages:
        from outpace_server.lsp.pages import Pages

        return Pages(self)

    @cached_property
    def profiling(self) -> Profiling:
        from outpace_server.lsp.profiling import Profiling

        return Profiling(self)

    def in_background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Work that belongs to no request: a request pending at shutdown would end in an error."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, JsonRpcException):
            self.log(f"the editor refused: {one_line(str(error))}", types.MessageType.Warning)
        elif error is not None:
            logger.error("background work failed", exc_info=error)
            self.log(f"internal error: {type(error).__name__}: {error}; please report it", types.MessageType.Error)

    def stop_work(self) -> None:
        for task in self._tasks:
            if not task.get_loop().is_closed():  # as it is where the editor left in the midst of an answer
                task.cancel()
        self.engines.close()
        if self.watching is not None:
            self.watching.close()

    async def serve(self, given: BinaryIO, answers: BinaryIO) -> None:
        """Until the editor has said all, or that it ends."""
        self._stop_event = threading.Event()
        self.protocol.set_writer(StdoutWriter(answers))
        await run_async(
            stop_event=self._stop_event,
            reader=await reader_of(given, answers, self.thread_pool),
            protocol=self.protocol,
            error_handler=self.report_server_error,
        )

    def shutdown(self) -> None:
        """Without pygls's wait for the thread that reads: after a signal the editor may say nothing more."""
        if self._stop_event is not None:
            self._stop_event.set()
        self.thread_pool.shutdown(wait=False, cancel_futures=True)

    def log(self, message: str, kind: types.MessageType = types.MessageType.Info) -> None:
        self.window_log_message(types.LogMessageParams(type=kind, message=message))

    def tell(self, message: str) -> None:
        """In the answer to something that the user did."""
        self.window_show_message(types.ShowMessageParams(type=types.MessageType.Info, message=message))

    def warn_once(self, message: str) -> None:
        """Of what will go wrong again with the next file: a full disk."""
        if message not in self._told:
            self._told.add(message)
            self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, f"outpace: {message}"))

    def keep_applied(self, uri: str, id: str) -> None:
        """So that it can be taken back after a restart."""
        path, done = path_of(uri), self.desk.applied(uri, id)
        if path is None or done is None:
            return
        try:
            applied_edits.keep(Workspace.of(path), path, done)
        except (OutpaceError, OSError) as error:
            self.log(f"{path.name} can be reverted in this session only: {error}", types.MessageType.Warning)

    def tell_wrong_settings(self, troubles: Sequence[str]) -> None:
        """In one message, and each once: editors send their settings at the start, when asked, and when they change."""
        new = [trouble for trouble in troubles if trouble not in self._told]
        self._told.update(new)
        if new:
            message = f"outpace: {'; '.join(new)}"
            self.window_show_message(types.ShowMessageParams(type=types.MessageType.Warning, message=message))

    async def ask(self, kind: types.MessageType, message: str, *titles: str, otherwise: str = "") -> str | None:
        """What was chosen; None where the question was put away, or the editor cannot ask (Helix, 2025): there
        `otherwise` is said, or the message alone."""
        actions = [types.MessageActionItem(title=title) for title in titles]
        try:
            answer = await self.window_show_message_request_async(
                types.ShowMessageRequestParams(type=kind, message=message, actions=actions)
            )
        except JsonRpcException as error:
            self.log(f"the editor cannot ask: {error}", types.MessageType.Warning)
            self.window_show_message(types.ShowMessageParams(type=kind, message=otherwise or message))
            return None
        return answer.title if answer else None

    async def shows(self, uri: str, *, external: bool | None = None, focus: bool | None = None) -> bool:
        """Whether the editor now shows a document; it may announce that it can, and have nothing for this address."""
        if not self.features.shows_documents:
            return False
        try:
            shown = await self.window_show_document_async(types.ShowDocumentParams(uri, external, focus))
        except JsonRpcException as error:
            self.log(f"the editor did not show {uri}: {one_line(str(error))}", types.MessageType.Warning)
            return False
        return shown.success

    @property
    def documents(self) -> Documents:
        assert isinstance(self.workspace, Documents), "made by our protocol"
        return self.workspace

    def document(self, uri: str) -> TextDocument | None:
        """An open file, or an open notebook as one module."""
        return self.documents.measured(uri)

    def sheet(self, uri: str) -> Sheet | None:
        """Of an open file, or of a cell."""
        return self.documents.sheet(uri)

    def previews(self, uri: str) -> bool:
        """Whether the client can show a change of this file beside it; cells have no such view."""
        return self.features.preview and not uri.endswith(SUFFIX)

    def edit(self, document: TextDocument, new_source: str) -> types.WorkspaceEdit:
        """Nothing for what cannot be said in cells; `findings` has none such."""
        parts = self.documents.changed_parts(document, new_source) or []
        return workspace_edit(parts, document_changes=self.features.document_changes)

    @property
    def open_uris(self) -> list[str]:
        """Of files and notebooks, as the editor spells them."""
        return self.documents.measured_uris

    def watch(self, uri: str) -> None:
        path = path_of(uri)
        if path is None or self.watching is None:
            return
        try:
            self.watching.add(path.parent)
        except OSError as error:
            self.log(f"{path.parent} is not watched ({error}): save in the editor to measure")

    def changed_on_disk(self, path: Path) -> None:
        """By another program: a checkout writes hundreds at once. What the editor saves is told by the editor, too."""
        for uri in self.open_uris:
            if path_of(uri) == path and path.exists():
                self.optimizing.queue_if_new(uri)
        self.speedups.noticed(path)

    def attend(self) -> None:
        """The user is there."""
        for uri in self.attention.seen():
            self.optimizing.queue_if_new(uri)

    def findings(self, document: TextDocument) -> list[Finding]:
        """What there is to show for a document as it is, without what the user has dismissed."""
        path = path_of(document.uri)
        if path is None or not self.settings.enable:
            return []
        found = self.desk.findings(document.uri, document.source)
        if path.suffix == SUFFIX:
            text = document.source
            found = [f for f in found if self.documents.changed_parts(document, f.new_text(text)) is not None]
        if self.dismissed.any_in(path):
            found = [f for f in found if f.applied or not self.dismissed(path, f.trial, f.base)]
        return self.profiles.with_steps(document, found)

    def audited(self, id: str) -> tuple[str, Trial] | None:
        """File and trial of a verdict, as it is shown."""
        found = self.desk.find(id)
        document = self.document(found[0]) if found else None
        if found is None or document is None:
            return found
        return next(((found[0], f.trial) for f in self.findings(document) if f.trial.id == id), found)

    def typed(self, uri: str) -> None:
        """What is touched loses its offers at once: the answer that the editor waits for comes first, because it must
        not wait until hundreds of diagnostics are written. What only moves the editor moves by itself meanwhile."""
        document = self.document(uri)
        touched = document is None or self._what_is_shown(document) != self._shown_last.get(uri)
        pending = self._publishing.get(uri)
        if touched and (pending is None or not pending.soon):
            self._publish_in(uri, TOUCHED_S, soon=True)
        elif pending is None or not pending.soon:
            self._publish_in(uri, MOVED_S, soon=False)

    def _what_is_shown(self, document: TextDocument) -> object:
        return [finding.trial.id for finding in self.findings(document)], self.profiles.count_in(document)

    def _publish_in(self, uri: str, wait_s: float, *, soon: bool) -> None:
        if (pending := self._publishing.get(uri)) is not None:
            pending.handle.cancel()
        self._publishing[uri] = Pending(asyncio.get_running_loop().call_later(wait_s, self.publish, uri), soon)

    def publish(self, uri: str) -> None:
        """Sends a file's diagnostics if they are not what was sent last, and has the rest refreshed."""
        if (pending := self._publishing.pop(uri, None)) is not None:
            pending.handle.cancel()
        self.speedups.changed()
        document = self.document(uri)
        sheets = self.documents.sheets(document) if document is not None else []
        shown = {sheet.uri: sheet for sheet in sheets}
        for gone in self._shown_for.get(uri, set()) - set(shown):
            self._publish(gone, [], None)
            self._published.pop(gone, None)
        self._shown_for[uri] = set(shown)
        if document is None:
            del self._shown_for[uri]
            self._shown_last.pop(uri, None)
            return
        self._shown_last[uri] = self._what_is_shown(document)
        severity = self.settings.diagnostics_severity
        found = diagnostics_of(document, self.findings(document), severity, self.features)
        found += self.profiles.diagnostics(document)
        found += self._of_cuda(document)
        self.profiles.notify(document)
        for sheet in sheets:
            own = [one for one in found if sheet.holds(one.range.start.line)]
            placed = [attrs.evolve(one, range=sheet.shown(one.range)) for one in own] if sheet.first else own
            version = document.version if self.features.diagnostic_versions and sheet.uri == uri else None
            self._publish(sheet.uri, placed, version)

    def _of_cuda(self, document: TextDocument) -> list[types.Diagnostic]:
        if not (self.settings.enable and document.uri.endswith(CUDA_SUFFIXES)):
            return []
        from outpace_server.lsp.cuda_hints import cuda_diagnostics  # most projects have no such file

        return cuda_diagnostics(document, self.settings.cuda_diagnostics_severity, self.features)

    def _publish(self, uri: str, found: list[types.Diagnostic], version: int | None) -> None:
        if found != self._published.get(uri, []):
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))
            self._published[uri] = found
            self.refresh()

    def refresh(self) -> None:
        """Lenses and hints, after a pause: each lens moves the code by a line."""
        if self._refreshing is not None:
            self._refreshing.cancel()
        self._refreshing = self.in_background(self._refresh())

    async def _refresh(self) -> None:
        await asyncio.sleep(PAUSE_S)
        if self.features.lens_refresh and self.settings.code_lens_enable:
            self.workspace_code_lens_refresh(None)
        hints = self.settings.inlay_hints_enable or self.settings.profile_inlay_hints_enable
        if self.features.hint_refresh and hints:
            self.workspace_inlay_hint_refresh(None)

    def report_server_error(self, error: Exception, source: ServerErrors) -> None:
        """Into the log: pygls's own way opens a message box for every failing notification."""
        unread = source is JsonRpcException
        if unread or (isinstance(error, JsonRpcException) and error.code != JsonRpcInternalError.CODE):
            logger.warning("not understood: %s", one_line(str(error))[:LOGGED])
        elif isinstance(error, JsonRpcException) and isinstance(error.data, dict):
            logger.error("%s\n%s", error, "".join(error.data.get("traceback", [])))
        else:
            logger.error("%s", error, exc_info=error)
