"""Progress in the editor: begins with the first thing to say, reports at most once a second, and can be cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

EVERY_S = 1.0


class Progress:
    """`stop` is called when the user presses Cancel. Nothing is sent to a client that shows no progress."""

    def __init__(self, server: LanguageServer, title: str, *, shown: bool, stop: Callable[[], object]) -> None:
        self._server = server
        self._title = title
        self._stop = stop
        self._shown = shown
        self._token = str(uuid.uuid4())
        self._message = ""
        self._share = 0
        self._sent_at = 0.0
        self._beginning: asyncio.Task[None] | None = None
        self._begun = False
        self._later: asyncio.TimerHandle | None = None

    def say(self, message: str, share: int | None = None) -> None:
        """`share` in percent; it never goes back."""
        self._message = message
        self._share = max(self._share, share or 0)
        if not self._shown:
            return
        if self._beginning is None:
            self._beginning = asyncio.create_task(self._begin())
        elif self._begun and self._later is None:
            wait_s = max(0.0, self._sent_at + EVERY_S - time.monotonic())
            self._later = asyncio.get_running_loop().call_later(wait_s, self._report)

    async def end(self, message: str | None = None) -> None:
        """What the client has been told of is ended, also when its answer is still on the way."""
        if self._beginning is None:
            return
        with contextlib.suppress(asyncio.CancelledError):
            await self._beginning
        if self._later is not None:
            self._later.cancel()
        if self._begun:
            self._begun = False
            self._server.work_done_progress.end(self._token, types.WorkDoneProgressEnd(message=message))
            self._server.work_done_progress.tokens.pop(self._token, None)

    def _report(self) -> None:
        """The last thing said: nothing may come after it for hours."""
        self._later, self._sent_at = None, time.monotonic()
        report = types.WorkDoneProgressReport(cancellable=True, message=self._message, percentage=self._share)
        self._server.work_done_progress.report(self._token, report)

    async def _begin(self) -> None:
        progress = self._server.work_done_progress
        try:
            await progress.create_async(self._token)
        except JsonRpcException:
            return  # without its consent the client must not hear of the token again
        progress.tokens[self._token].add_done_callback(self._on_token)
        begin = types.WorkDoneProgressBegin(
            title=self._title, cancellable=True, message=self._message, percentage=self._share
        )
        progress.begin(self._token, begin)
        self._sent_at = time.monotonic()
        self._begun = True

    def _on_token(self, token: Future[object]) -> None:
        if token.cancelled():
            self._stop()
