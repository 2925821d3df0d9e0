"""Measuring an open file in the background: queued on open and on save, one run per file, superseded by the next.

An applied edit is measured again in a run of its own, which a save of the file does not end: people save what they
have just applied.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lsprotocol import types

from outpace_audit.codec import decode
from outpace_audit.errors import OutpaceError, TargetError
from outpace_optimizers.engine.protocol import Job, Priority
from outpace_optimizers.notebook import SUFFIX
from outpace_optimizers.records import (
    Again,
    Event,
    Listener,
    Report,
    StageEvent,
    Trial,
    TrialFinished,
    TrialStarted,
    Trouble,
)
from outpace_optimizers.source import base_hash
from outpace_optimizers.workspace import Workspace
from outpace_server.lsp.addresses import fs_path
from outpace_server.lsp.progress import Progress
from outpace_server.lsp.reverting import offer_revert
from outpace_server.lsp.settings import Settings
from outpace_server.lsp.status import show_status
from outpace_server.marked import is_marked
from outpace_server.output.words import event_line, one_line, summary, trial_line

if TYPE_CHECKING:
    from outpace_server.lsp.server import OutpaceServer

Purpose = Literal["optimize", "confirm"]
DEBOUNCE_S = 0.5
"""Saves that follow each other at once (format on save, save all) are one."""


@dataclass(slots=True)
class Underway:
    """A file that the engine works on, and what it does just now."""

    uri: str
    title: str
    message: str = ""
    waiting: str = ""
    """For whom or what, if it does nothing just now."""


class Optimizing:
    def __init__(self, server: OutpaceServer) -> None:
        self._server = server
        self._runs: dict[tuple[str, Purpose], asyncio.Task[Any]] = {}
        self._asked: dict[str, str] = {}
        """Hash of the text on disk that was last asked about."""
        self._outcomes: dict[str, tuple[str, str]] = {}
        """Of files whose last run brought no verdict: hash of the text, and why."""
        self.underway: list[Underway] = []
        self.trouble = ""
        """What kept the last run from its end: of the machine or its set-up, not of the file."""
        self.device = ""
        """Where the last verdict came from."""

    def queue(self, uri: str, priority: Priority) -> None:
        """On open and on save, where the user's settings and consent allow it."""
        path = path_of(uri)
        if path is not None and self._server.settings.runs:
            self._queue(uri, path, priority)

    def queue_asked(self, uri: str) -> None:
        """The user wants this file measured, now."""
        path, settings = path_of(uri), self._server.settings
        if path is None or not settings.allows:
            self._server.tell(_why_not(uri, settings))
            return
        self._server.consent.assume(Workspace.of(path))
        self._queue(uri, path, "interactive")

    def queue_if_new(self, uri: str) -> None:
        """For a change on disk, which may be the editor's own save."""
        path, server = path_of(uri), self._server
        if path is None or self._asked.get(uri) == _hash_on_disk(path):
            return
        if server.attention.idle(server.settings.idle_minutes):
            if uri not in server.attention.waiting:
                server.log(f"{path.name} has changed, and is measured once somebody is back (`idleMinutes`)")
            server.attention.waiting.add(uri)
        else:
            self.queue(uri, "background")

    def measure_again(self, uri: str, trial: Trial) -> None:
        path = path_of(uri)
        if path is not None and self._server.settings.trusted:
            self._start(uri, "confirm", self._measure_applied(uri, path, trial))

    def outcome(self, uri: str, text: str) -> str:
        """Why the last run on this very text brought no verdict; empty where it did, or there was none."""
        known, why = self._outcomes.get(uri, ("", ""))
        return why if why and known == base_hash(text) else ""

    def cancel(self, uri: str) -> None:
        for run in [run for key, run in self._runs.items() if key[0] == uri]:
            run.cancel()

    def cancel_all(self) -> None:
        for run in self._runs.values():
            run.cancel()

    @property
    def waiting(self) -> str:
        """What all that is under way waits for; empty as soon as one is at work."""
        reasons = [one.waiting for one in self.underway]
        return reasons[0] if reasons and all(reasons) else ""

    def _note_waiting(self, underway: Underway, event: Event) -> None:
        waiting = one_line(event.text) if isinstance(event, StageEvent) and event.waiting else ""
        if waiting != underway.waiting:
            underway.waiting = waiting
            show_status(self._server, self.running)
            if waiting:
                self._server.log(f"{underway.title}: {waiting}")

    @property
    def running(self) -> int:
        return len(self._runs)

    def _queue(self, uri: str, path: Path, priority: Priority) -> None:
        self._asked[uri] = _hash_on_disk(path)
        self._outcomes.pop(uri, None)
        self._start(uri, "optimize", self._optimize(uri, path, priority))

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
        if not is_marked(path):  # most files are not
            why = "no get_inputs(), and no captured run calls what it defines"
            self._say_no_target(path, why, asked=priority == "interactive")
            return
        if not await server.consent.given(Workspace.of(path), server.settings.consent):
            return
        text = on_disk(path)
        if text is None:
            return
        server.desk.remember(uri, text)

        def listen(event: Event) -> None:
            if isinstance(event, TrialFinished):
                server.log(f"{path.name}: {trial_line(event.trial)}")
                self._show_trials(uri, [event.trial])

        try:
            job = Job("optimize", server.settings.request(str(path)))
            answer = await self._run(uri, f"Optimizing {path.name}", path, job, priority, listen)
        except TargetError as error:
            self._say_no_target(path, one_line(str(error)), asked=priority == "interactive")
            return
        if answer is None and priority == "interactive":
            server.tell(f"{path.name} was not measured: {self._outcomes[uri][1]}")
        if answer is not None:
            report = decode(Report, answer)
            self._show_trials(uri, report.trials)
            if not report.trials:
                self._outcomes[uri] = (base_hash(text), f"nothing to offer: {one_line(report.stop)}")
            server.log(summary(report))

    def _say_no_target(self, path: Path, why: str, *, asked: bool) -> None:
        said = f"{path.name} is no target: {why}"
        self._server.log(said)
        if asked:
            self._server.tell(said)

    def _show_trials(self, uri: str, trials: Sequence[Trial]) -> None:
        for trial in trials:
            self.device = one_line(trial.verdict.machine.name)
        self._server.desk.add(uri, trials)
        self._server.publish(uri)
        self._server.refresh()

    async def _measure_applied(self, uri: str, path: Path, trial: Trial) -> None:
        server, workspace = self._server, Workspace.of(path)
        if not await server.consent.given(workspace, server.settings.consent):
            server.log(f"{path.name}: applied, and not measured again: nobody has allowed it")
            return
        job = Job("replay", verdict=trial.id, root=str(workspace.root), again=Again(path=str(path)))
        try:
            answer = await self._run(uri, f"Measuring {path.name} again", path, job, "interactive", lambda event: None)
        except TargetError as error:
            server.log(
                f"{path.name}: applied, and not measured again: {one_line(str(error))}", types.MessageType.Warning
            )
            return
        if answer is None:
            return
        again = decode(Trial, answer)
        server.desk.set_measured_again(uri, trial.id, again)
        server.keep_applied(uri, trial.id)
        server.publish(uri)
        server.log(f"{path.name}: applied, measured again: {trial_line(again)}")
        if not again.verdict.accepted:
            await offer_revert(server, uri, again)

    async def _run(
        self, uri: str, title: str, path: Path, job: Job, priority: Priority, listener: Listener
    ) -> Mapping[str, Any] | None:
        """The engine's answer; None where there is none, which is then said."""
        server, run = self._server, asyncio.current_task()
        assert run is not None, "runs in the background"
        progress = Progress(server, title, shown=server.features.progress, stop=run.cancel)
        underway = Underway(uri, title)

        def listen(event: Event) -> None:
            _show(progress, event)
            underway.message = event_line(event) or underway.message
            self._note_waiting(underway, event)
            server.speedups.changed()
            if isinstance(event, Trouble):
                server.warn_once(event.text)
            listener(event)

        end = None
        self.underway.append(underway)
        try:
            answer = await server.engines.run(Workspace.of(path), job, priority, listen)
            end, self.trouble = "done", ""
            return answer
        except asyncio.CancelledError:
            end = "cancelled"
            raise
        except TargetError:
            raise
        except (OutpaceError, OSError) as error:
            end = self.trouble = one_line(str(error))
            server.log(f"{path.name}: {end}", types.MessageType.Warning)
            self._outcomes[uri] = (_hash_on_disk(path), end)
            return None
        finally:
            self.underway.remove(underway)
            server.speedups.changed()
            server.in_background(progress.end(end))  # which waits for the editor's leave to begin


@functools.lru_cache(maxsize=256)
def path_of(uri: str) -> Path | None:
    """Python files and notebooks on this machine alone: an untitled or remote document has nothing that could be run,
    nor has the `C:` of a machine that is not this one."""
    path = fs_path(uri)
    return Path(path) if path and path.endswith((".py", SUFFIX)) and Path(path).is_absolute() else None


def on_disk(path: Path) -> str | None:
    """As the engine reads it; None for a file that is gone or no text."""
    from outpace_optimizers.targets.source_text import read_source  # its package takes 0.1 s: not at the start

    try:
        return read_source(path).text
    except (OSError, OutpaceError):
        return None


def _hash_on_disk(path: Path) -> str:
    """Empty for a file that is gone."""
    return base_hash(on_disk(path) or "")


def _why_not(uri: str, settings: Settings) -> str:
    if uri.endswith((".cu", ".cuh")):
        return "A CUDA source is not measured by itself: ask on the Python file that calls it."
    if path_of(uri) is None:
        return "Only Python files and notebooks that are saved on this machine can be measured."
    if not settings.enable:
        return "Measuring is off (`enable`)."
    why = "the setting `consent` is `never`" if settings.trusted else "this workspace is not trusted"
    return f"Measuring is off: {why}."


def _show(progress: Progress, event: Event) -> None:
    line = event_line(event)
    if isinstance(event, TrialStarted):
        progress.say(line or "", 100 * (event.index - 1) // event.total)
    elif isinstance(event, StageEvent) and line:
        progress.say(line)
