"""Profiles of the open files: found, read by a process of their own, placed in the text, and kept as little as that.

`outpace/profile`, for clients that announce `experimental.outpaceProfile`: where the time of an open file goes.

{"uri", "profile", "functions": [{"name", "first", "last", "share", "label"}]}

The whole of it whenever it has changed; lines count from 0, `share` is of the step. Functions that are no longer what
was profiled are left out.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.workspace import TextDocument

from outpace_audit.codec import decode
from outpace_optimizers.profiles.annotations import Annotations
from outpace_optimizers.profiles.step_gains import step_gain
from outpace_optimizers.profiles.trace import TraceError
from outpace_optimizers.records import Trial
from outpace_server.children import ask_child
from outpace_server.lsp.addresses import fs_path
from outpace_server.lsp.desk import Finding
from outpace_server.lsp.optimizing import path_of
from outpace_server.lsp.profile_files import Candidate, Project, candidates, watched
from outpace_server.lsp.profile_marks import Placed, Sheetful, place
from outpace_server.lsp.profile_words import advice_diagnostics, label
from outpace_server.lsp.progress import Progress
from outpace_server.output.words import one_line

if TYPE_CHECKING:
    from outpace_server.lsp.server import OutpaceServer

METHOD = "outpace/profile"
READER = "outpace_optimizers.profiles.annotating"
LARGE = 20_000_000
"""Bytes of a trace whose reading takes long enough to be shown."""
PAUSE_S = 0.3
"""In writing and in typing, before anything is looked at again."""


@dataclass(slots=True)
class _Known:
    """Of one project: what was read, None for what could not be; and the answer, the newest first."""

    read: dict[Candidate, Annotations | None] = field(default_factory=dict[Candidate, Annotations | None])
    shown: list[tuple[Candidate, Annotations]] = field(default_factory=list[tuple[Candidate, Annotations]])
    looking: asyncio.Task[Any] | None = None
    again: bool = False
    looked: bool = False
    """Once, at least: what is broken later has just been written."""


class Profiles:
    def __init__(self, server: OutpaceServer) -> None:
        self._server = server
        self._projects: dict[Project, _Known] = {}
        self._sheets: dict[str, Sheetful] = {}
        self._settling: dict[str, asyncio.Task[Any]] = {}
        self._sent: dict[str, object] = {}

    @property
    def allowed(self) -> bool:
        """A repository may bring along a profile that claims anything."""
        return self._server.settings.enable and self._server.settings.trusted

    # --- what is shown ------------------------------------------------------------------------------------------------

    def marks(self, document: TextDocument) -> tuple[list[Placed], Annotations | None]:
        sheet = self._sheets.get(document.uri) if self.allowed else None
        return (list(sheet.marks_in(document.source)), sheet.annotations) if sheet else ([], None)

    def diagnostics(self, document: TextDocument) -> list[types.Diagnostic]:
        server, sheet = self._server, self._sheets.get(document.uri) if self.allowed else None
        if sheet is None:
            return []
        severity = server.settings.profile_diagnostics_severity
        return advice_diagnostics(
            document, sheet.advice_in(document.source), sheet.annotations, severity, server.features
        )

    def count_in(self, document: TextDocument) -> tuple[int, int]:
        """How many marks and suggestions are shown of a text."""
        sheet = self._sheets.get(document.uri) if self.allowed else None
        return (len(sheet.marks_in(document.source)), len(sheet.advice_in(document.source))) if sheet else (0, 0)

    def with_steps(self, document: TextDocument, findings: list[Finding]) -> list[Finding]:
        """What their trials come to for a whole step, where a profile holds for the code as it is."""
        sheet = self._sheets.get(document.uri) if self.allowed else None
        if sheet is None or not findings:
            return findings
        return [one if one.applied else replace(one, trial=_with_step(one.trial, sheet, document)) for one in findings]

    def newest(self, uri: str | None) -> tuple[Project, Candidate] | None:
        """The profile that is shown for a file; else the newest of any project of the open files."""
        path = path_of(uri) if uri else None
        if path is not None and (found := self._applicable(path)) is not None:
            return found[0], found[1]
        every = [(project, one[0]) for project, known in self._projects.items() for one in known.shown]
        return max(every, key=lambda one: one[1].changed_ns, default=None)

    def notify(self, document: TextDocument) -> None:
        """The client's own view of it, if that is another one now."""
        if not self._server.features.profile:
            return
        marks, annotations = self.marks(document)
        content = {
            "uri": document.uri,
            "profile": annotations.name if annotations else "",
            "functions": [
                {
                    "name": one.mark.name, "first": one.region.first, "last": one.region.last,
                    "share": one.mark.share, "label": label(one),
                }
                for one in marks if not one.stale and not one.method and one.mark.worth_it
            ],
        }  # fmt: skip
        if content != self._sent.get(document.uri, {**content, "profile": "", "functions": []}):
            self._sent[document.uri] = content
            self._server.protocol.notify(METHOD, content)

    # --- what happens -------------------------------------------------------------------------------------------------

    def opened(self, uri: str) -> None:
        if self.allowed and (path := _script_of(uri)) is not None:
            self._look(self._project_of(path))

    def typed(self, uri: str) -> None:
        """The text is looked at once the user pauses; also one that is being looked at for the first time just now."""
        settling = self._settling.get(uri)
        if uri in self._sheets or (settling is not None and not settling.done()):
            self._settle(uri, PAUSE_S)

    def saved(self, uri: str) -> None:
        """What the step takes may be another for all files of the project."""
        path = _script_of(uri)
        project = self._project_of(path) if path is not None else None
        for known in self._sheets:
            if known == uri or ((script := _script_of(known)) is not None and self._project_of(script) == project):
                self._settle(known, PAUSE_S)

    def closed(self, uri: str) -> None:
        self._sheets.pop(uri, None)
        self._sent.pop(uri, None)
        if (settling := self._settling.pop(uri, None)) is not None:
            settling.cancel()

    def look_again(self) -> None:
        """What may be shown has changed, or what there is."""
        for uri in self._server.open_uris:
            self.opened(uri)

    def noticed(self, path: Path) -> None:
        """A trace, a profile or a folder has appeared or gone."""
        scripts = (_script_of(uri) for uri in self._server.open_uris)
        for project in {self._project_of(script) for script in scripts if script is not None}:
            beside = (project.root, project.state, project.recordings)
            if path.suffix or path.parent in beside or path in beside:
                if path in beside and not path.exists() and self._server.watching is not None:
                    self._server.in_background(asyncio.to_thread(self._server.watching.forget, path))
                self._look(project)

    # --- finding and reading ------------------------------------------------------------------------------------------

    def _project_of(self, path: Path) -> Project:
        folders = (fs_path(one.uri) for one in self._server.workspace.folders.values())
        return Project.of(path, (Path(one) for one in folders if one))

    def _look(self, project: Project) -> None:
        """One look at a time; what happens meanwhile is one more."""
        known = self._projects.setdefault(project, _Known())
        if known.looking is None or known.looking.done():
            known.looking = self._server.in_background(self._look_now(project, known))
        else:
            known.again = True

    async def _look_now(self, project: Project, known: _Known) -> None:
        while True:
            known.again = False
            await asyncio.sleep(PAUSE_S)
            await asyncio.to_thread(self._watch, project)
            traces = self._server.settings.profile_traces_enable
            await self._read_newest(project, known, await asyncio.to_thread(candidates, project, traces=traces))
            known.looked = True
            if not known.again:
                return

    def _watch(self, project: Project) -> None:
        watching = self._server.watching
        if watching is None:
            return
        for folder, recursive in watched(project):
            try:
                watching.add(folder, recursive=recursive)
            except OSError:
                return  # the watches are used up: what is new is seen when a file is opened

    async def _read_newest(self, project: Project, known: _Known, found: list[Candidate]) -> None:
        known.read = {one: read for one, read in known.read.items() if one in found}
        known.shown = [pair for pair in known.shown if pair[0] in found]
        wanting = dict(self._open_in(project))
        for candidate in found:
            if not wanting:
                break
            if candidate not in known.read:
                known.read[candidate] = await self._read(project, candidate, just_written=known.looked)
            annotations = known.read[candidate]
            if annotations is not None:
                told = _paths(annotations)
                wanting = {uri: path for uri, path in wanting.items() if path not in told}
        known.shown = [(one, read) for one in found if (read := known.read.get(one)) is not None]
        for uri in dict(self._open_in(project)):
            self._settle(uri, 0.0)

    def _open_in(self, project: Project) -> Iterator[tuple[str, str]]:
        for uri in self._server.open_uris:
            path = _script_of(uri)
            if path is not None and self._project_of(path) == project:
                yield uri, os.path.realpath(path)

    async def _read(self, project: Project, candidate: Candidate, *, just_written: bool) -> Annotations | None:
        server, task = self._server, asyncio.current_task()
        assert task is not None, "runs in the background"
        name = candidate.file.name
        shown = server.features.progress and candidate.size > LARGE
        progress = Progress(server, "Reading a profile", shown=shown, stop=task.cancel)
        progress.say(f"{name}, {candidate.size / 1e6:.0f} MB")
        try:
            return decode(Annotations, await ask_child(READER, candidate.request(project.root)))
        except TraceError as error:
            if candidate.file.exists():
                said = f"a profile is not shown: {one_line(str(error))}"
                server.warn_once(said) if just_written else server.log(said, types.MessageType.Warning)
            return None
        finally:
            await progress.end()

    # --- placing ------------------------------------------------------------------------------------------------------

    def _settle(self, uri: str, wait_s: float) -> None:
        if (before := self._settling.get(uri)) is not None:
            before.cancel()
        self._settling[uri] = self._server.in_background(self._place(uri, wait_s))

    async def _place(self, uri: str, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        document, path = self._server.document(uri), path_of(uri)
        found = self._applicable(path) if path else None
        if document is None or path is None:
            return
        if found is None:
            gone = self._sheets.pop(uri, None) is not None
        else:
            text, annotations = document.source, found[2]
            self._sheets[uri] = await asyncio.to_thread(place, annotations, os.path.realpath(path), text)
            gone = False
        if found is not None or gone:
            self._server.publish(uri)
            self._server.refresh()

    def _applicable(self, path: Path) -> tuple[Project, Candidate, Annotations] | None:
        """The newest profile in which something of the file took time."""
        project, real = self._project_of(path), os.path.realpath(path)
        known = self._projects.get(project)
        if known is None or not self.allowed:
            return None
        return next(((project, one, read) for one, read in known.shown if real in _paths(read)), None)


def _with_step(trial: Trial, sheet: Sheetful, document: TextDocument) -> Trial:
    part = sheet.part(document.source, trial.target) if trial.verdict.accepted else None
    annotations = sheet.annotations
    return replace(trial, step=step_gain(trial, part, annotations.machine, annotations.name)) if part else trial


def _paths(annotations: Annotations) -> set[str]:
    return {one.path for one in (*annotations.marks, *annotations.advice)}


def _script_of(uri: str) -> Path | None:
    """A notebook's cells are no file that a run has executed."""
    path = path_of(uri)
    return path if path is not None and path.suffix == ".py" else None
