"""Measuring an open file in the background: queued on open and on save, one run per file, superseded by the next.

An applied edit is measured again in a run of its own, which a save of the file does not end: people save what they
have just applied.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lsprotocol import types
from pygls import uris

from outpace_audit.codec import decode
from outpace_audit.errors import OutpaceError, TargetError
from outpace_optimizers.engine.protocol import Job, Priority
from outpace_optimizers.records import Event, Listener, Report, StageEvent, Trial, TrialFinished, TrialStarted
from outpace_optimizers.source import base_hash
from outpace_optimizers.workspace import Workspace
from outpace_server.lsp.audit_view import show_audit
from outpace_server.lsp.progress import Progress
from outpace_server.lsp.status import show_status
from outpace_server.output.words import event_line, one_line, rejected_line, summary, trial_line

if TYPE_CHECKING:
    from outpace_server.lsp.server import OutpaceServer

Purpose = Literal["optimize", "confirm"]
DEBOUNCE_S = 0.5
"""Saves that follow each other at once (format on save, save all) are one."""


class Optimizing:
    def __init__(self, server: OutpaceServer) -> None:
        self._server = server
        self._runs: dict[tuple[str, Purpose], asyncio.Task[Any]] = {}
        self._asked: dict[str, str] = {}
        """Hash of the text on disk that was last asked about."""

    def queue(self, uri: str, priority: Priority) -> None:
        path = path_of(uri)
        if path is None or not self._server.settings.runs:
            return
        self._asked[uri] = _hash_on_disk(path)
        self._start(uri, "optimize", self._optimize(uri, path, priority))

    def queue_if_new(self, uri: str) -> None:
        """For a change on disk, which may be the editor's own save."""
        path = path_of(uri)
        if path is not None and self._asked.get(uri) != _hash_on_disk(path):
            self.queue(uri, "background")

    def measure_again(self, uri: str, trial: Trial) -> None:
        path = path_of(uri)
        if path is not None and self._server.settings.trusted:
            self._start(uri, "confirm", self._measure_applied(uri, path, trial))

    def cancel(self, uri: str) -> None:
        for run in [run for key, run in self._runs.items() if key[0] == uri]:
            run.cancel()

    def cancel_all(self) -> None:
        for run in self._runs.values():
            run.cancel()

    @property
    def running(self) -> int:
        return len(self._runs)

    def _start(self, uri: str, purpose: Purpose, work: Coroutine[Any, Any, None]) -> None:
        """Takes the place of what is queued or running for the same purpose."""
        key = (uri, purpose)
        if (before := self._runs.get(key)) is not None:
            before.cancel()
        run = self._runs[key] = self._server.in_background(work)
        show_status(self._server, self.running)

        def ended(task: asyncio.Task[Any]) -> None:
            if self._runs.get(key) is task:
                del self._runs[key]
            show_status(self._server, self.running)

        run.add_done_callback(ended)

    async def _optimize(self, uri: str, path: Path, priority: Priority) -> None:
        server = self._server
        await asyncio.sleep(DEBOUNCE_S)
        job = Job("optimize", server.settings.request(str(path)))

        def listen(event: Event) -> None:
            if isinstance(event, TrialFinished):
                server.log(f"{path.name}: {trial_line(event.trial)}")
                server.desk.add(uri, [event.trial])
                server.publish(uri)

        try:
            answer = await self._run(uri, f"Optimizing {path.name}", path, job, priority, listen)
        except TargetError as error:
            server.log(f"{path.name} is no target: {one_line(str(error))}")  # most files are none
            return
        if answer is not None:
            report = decode(Report, answer)
            server.desk.add(uri, report.trials)
            server.publish(uri)
            server.log(summary(report))

    async def _measure_applied(self, uri: str, path: Path, trial: Trial) -> None:
        server = self._server
        job = Job("replay", verdict=trial.id, root=str(Workspace.of(path).root))
        answer = await self._run(uri, f"Measuring {path.name} again", path, job, "interactive", lambda event: None)
        if answer is None:
            return
        again = decode(Trial, answer)
        server.desk.set_applied(uri, again)
        server.publish(uri)
        server.log(f"{path.name}: applied, measured again: {trial_line(again)}")
        if not again.verdict.accepted:
            await _tell_of_lost_gain(server, path, again)

    async def _run(
        self, uri: str, title: str, path: Path, job: Job, priority: Priority, listener: Listener
    ) -> Mapping[str, Any] | None:
        """The engine's answer; None where there is none, which is then said."""
        server, run = self._server, asyncio.current_task()
        assert run is not None, "runs in the background"
        progress = Progress(server, title, shown=server.features.progress, stop=run.cancel)

        def listen(event: Event) -> None:
            _show(progress, event)
            listener(event)

        end = None
        try:
            answer = await server.engines.run(Workspace.of(path), job, priority, listen)
            end = "done"
            return answer
        except asyncio.CancelledError:
            end = "cancelled"
            raise
        except TargetError:
            raise
        except (OutpaceError, OSError) as error:
            end = one_line(str(error))
            server.log(f"{path.name}: {end}", types.MessageType.Warning)
            return None
        finally:
            await progress.end(end)


def path_of(uri: str) -> Path | None:
    """Files on this machine alone: an untitled or remote document has nothing that could be run."""
    path = uris.to_fs_path(uri)
    return Path(path) if path and uri.startswith("file:") and path.endswith(".py") else None


def _hash_on_disk(path: Path) -> str:
    """Empty for a file that is gone."""
    try:
        return base_hash(path.read_bytes().decode("utf-8", "surrogateescape"))
    except OSError:
        return ""


def _show(progress: Progress, event: Event) -> None:
    line = event_line(event)
    if isinstance(event, TrialStarted):
        progress.say(line or "", 100 * (event.index - 1) // event.total)
    elif isinstance(event, StageEvent) and line:
        progress.say(line)


async def _tell_of_lost_gain(server: OutpaceServer, path: Path, again: Trial) -> None:
    show = types.MessageActionItem(title="Show audit")
    answer = await server.window_show_message_request_async(
        types.ShowMessageRequestParams(
            type=types.MessageType.Warning,
            message=f"{path.name}: the applied change was not confirmed: {rejected_line(again)}. Undo takes it back.",
            actions=[show],
        )
    )
    if answer is not None:
        await show_audit(server, again)
