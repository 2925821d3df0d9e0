"""`outpace/speedups`, for clients that announce `experimental.outpaceSpeedups`: all that there is in the workspace.

{"targets": [{"uri", "name", "line", "trouble", "measured": bool}],
 "running": [{"uri", "title", "message"}],
 "speedups": [{"id", "uri", "line", "target", "title", "rule", "gain", "step", "numerics", "level",
               "state": "offered" | "applied" | "confirmed" | "rejected", "reason"}]}

The whole of it whenever it has changed, the surest gain first. `line` is counted from 0; a file of which no target
could be chosen has an empty `name` and says why in `trouble`. `gain` is empty where no time was taken, `step` where
no profile says what it comes to for a whole step, `reason` where the change was accepted. `confirmed`: applied, and
measured again in place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from outpace_audit.errors import OutpaceError
from outpace_optimizers.notebook import SUFFIX
from outpace_optimizers.records import Trial
from outpace_optimizers.workspace import LEDGER, Workspace
from outpace_server.lsp.addresses import fs_path
from outpace_server.lsp.desk import surest_gain
from outpace_server.lsp.optimizing import path_of
from outpace_server.lsp.regions import region_of
from outpace_server.lsp.survey import Place, place_in, survey, surveyed
from outpace_server.output.words import gain, one_line, rejected_reason, step_words

if TYPE_CHECKING:
    from outpace_server.lsp.server import OutpaceServer

METHOD = "outpace/speedups"
EVERY_S = 0.5
"""While somebody types, or trials follow each other."""


class Speedups:
    def __init__(self, server: OutpaceServer) -> None:
        self._server = server
        self._places: dict[Path, Place] = {}
        self._sent: object = None
        self._sending: asyncio.Task[Any] | None = None
        self._noticed: set[Path] = set()

    def begin(self) -> None:
        if self._server.features.speedups:
            self._server.in_background(self._survey(list(self._server.workspace.folders.values())))

    def look_into(self, folders: Sequence[types.WorkspaceFolder]) -> None:
        if self._server.features.speedups:
            self._server.in_background(self._survey(folders))

    def leave(self, folder: Path) -> None:
        """Its files are no longer of the workspace, but for those that are open."""
        for path in [path for path in self._places if path.is_relative_to(folder)]:
            del self._places[path]
            self._server.desk.shelve(path.as_uri(), [])
        self.changed()

    def changed(self) -> None:
        """Says so soon, and all that came meanwhile in one."""
        if self._server.features.speedups and (self._sending is None or self._sending.done()):
            self._sending = self._server.in_background(self._send())

    def look_again(self, uri: str) -> None:
        """At a file on disk: it was saved, or closed, which may have thrown changes away."""
        path = path_of(uri)
        if self._server.features.speedups and path is not None:
            self._server.in_background(self._look(path))

    def noticed(self, path: Path) -> None:
        """A file of the workspace was written on disk, or is gone: looked at soon, with all that come meanwhile."""
        if self._server.features.speedups and (path in self._places or self._in_workspace(path)):
            if not self._noticed:
                self._server.in_background(self._look_at_noticed())
            self._noticed.add(path)

    def of_closed_file(self, uri: str, id: str) -> list[tuple[Trial, str]]:
        """The trial, with the text on disk; none of a file that nobody looked at."""
        path = path_of(uri)
        place = self._places.get(path) if path else None
        return [(trial, place.text) for trial in self._server.desk.shelved(uri) if trial.id == id] if place else []

    async def _survey(self, folders: Sequence[types.WorkspaceFolder]) -> None:
        for folder in folders:
            root = fs_path(folder.uri)
            if root is None or not folder.uri.startswith("file:"):
                continue
            places, all_of_it = await asyncio.to_thread(survey, Path(root))
            if not all_of_it:
                self._server.log(f"{root} has too many files to look for targets in all: open one to have it seen")
            for place in places:
                await self._put(place)
        self.changed()

    async def _look_at_noticed(self) -> None:
        await asyncio.sleep(EVERY_S)
        noticed, self._noticed = self._noticed, set()
        for path in sorted(noticed):
            await self._look(path)

    def _in_workspace(self, path: Path) -> bool:
        folders = (fs_path(one.uri) for one in self._server.workspace.folders.values())
        return any(surveyed(path, Path(one)) for one in folders if one and path.is_relative_to(one))

    async def _look(self, path: Path) -> None:
        place = await asyncio.to_thread(place_in, path)
        if place is None:
            if self._places.pop(path, None) is not None:
                self._server.desk.shelve(path.as_uri(), [])
        else:
            await self._put(place)
        self.changed()

    async def _put(self, place: Place) -> None:
        server, workspace = self._server, Workspace.of(place.path)
        self._places[place.path] = place
        if place.path in self._open() or not (server.settings.enable and server.settings.trusted):
            return
        if not (workspace.state / LEDGER).is_file():
            return  # nothing was ever measured: no engine is started for it
        try:
            known = await server.engines.offers(workspace, str(place.path), place.text)
            server.desk.shelve(place.path.as_uri(), known)
        except (OutpaceError, OSError) as error:
            server.log(f"{place.path.name}: {error}")

    def _open(self) -> dict[Path | None, str]:
        """Addresses as the editor writes them: it may escape other characters than we do."""
        return {path_of(uri): uri for uri in self._server.desk.uris}

    async def _send(self) -> None:
        await asyncio.sleep(EVERY_S)
        content = self._content()
        if content != self._sent:
            self._sent = content
            self._server.protocol.notify(METHOD, content)

    def _content(self) -> dict[str, Any]:
        opened = self._open()
        places = {opened.get(path, path.as_uri()): place for path, place in self._places.items()}
        uris_known = {*places, *self._server.desk.uris}
        found = [entry for uri in uris_known for entry in self._entries(uri, places.get(uri))]
        found.sort(key=itemgetter(0), reverse=True)
        speedups = [entry for _, entry in found]
        measured = {(uri, target) for uri in uris_known for target in self._judged(uri)}
        targets = [
            {
                "uri": uri,
                "name": place.target,
                "line": place.line,
                "trouble": place.trouble,
                "measured": (uri, place.target) in measured,
                "outcome": self._outcome(uri, place),
            }
            for uri, place in sorted(places.items(), key=itemgetter(0))
        ]
        running = [{"uri": u.uri, "title": u.title, "message": u.message} for u in self._server.optimizing.underway]
        return {"targets": targets, "running": running, "speedups": speedups}

    def _judged(self, uri: str) -> set[str]:
        """Targets with a verdict that holds for the code as it is, also one that was dismissed."""
        server = self._server
        document = server.document(uri) if uri in server.desk else None
        if not (server.settings.enable and server.settings.trusted):
            return set()
        found = [one.trial for one in server.desk.findings(uri, document.source)] if document else []
        return {trial.target for trial in (*found, *server.desk.shelved(uri))}

    def _outcome(self, uri: str, place: Place) -> str:
        document = self._server.document(uri) if uri in self._server.desk else None
        return self._server.optimizing.outcome(uri, document.source if document else place.text)

    def _entries(self, uri: str, place: Place | None) -> Iterator[tuple[tuple[float, float], dict[str, Any]]]:
        server = self._server
        document = server.document(uri) if uri in server.desk else None
        if document is not None:
            for finding in server.findings(document):
                made = "confirmed" if finding.confirmed else "applied" if finding.applied else "offered"
                line = 0 if uri.endswith(SUFFIX) else finding.region.header  # a notebook's lines are counted by cell
                yield _rank(finding.trial), _entry(uri, finding.trial, line, made)
        if place is not None and server.settings.enable:
            for trial in server.desk.shelved(uri):
                if not server.dismissed(place.path, trial, place.text):
                    line = region_of(place.text, trial.idea.patch.new_source, trial.idea.patch).header
                    yield _rank(trial), _entry(uri, trial, line, "offered")


def _rank(trial: Trial) -> tuple[float, float]:
    """By what it comes to for the whole step, where a profile says; by its own gain else."""
    return (trial.step.interval[0] if trial.step else 0.0, surest_gain(trial))


def _entry(uri: str, trial: Trial, line: int, made: str) -> dict[str, Any]:
    """`made`: what became of it, had it been accepted."""
    verdict = trial.verdict
    return {
        "id": trial.id,
        "uri": uri,
        "line": line,
        "target": trial.target,
        "title": one_line(trial.idea.title),
        "rule": trial.idea.rule,
        "gain": gain(verdict),
        "step": step_words(trial),
        "numerics": verdict.numerics,
        "level": verdict.level,
        "state": made if verdict.accepted else "rejected",
        "reason": "" if verdict.accepted else rejected_reason(trial),
    }
