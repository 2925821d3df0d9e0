"""Whether code of a workspace may be run for measuring: asked once, before the first time.

What was answered with Always or Never is kept in the workspace's state folder, signed with this user's key, so that
a repository cannot bring the answer along; the setting `consent` overrides it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from outpace_audit.errors import OutpaceError
from outpace_optimizers import signing
from outpace_optimizers.workspace import Workspace
from outpace_server.lsp.settings import Consent as Asked
from outpace_server.lsp.status import show_status

if TYPE_CHECKING:
    from outpace_server.lsp.server import OutpaceServer

FILE = "consent.json"
KEPT_AS = {True: "always", False: "never"}
ALWAYS, ONCE, NEVER = "Always", "This time", "Never"
HOW_ELSE = "set `consent` to `always`, or run the command `outpace.remeasure` on a file"
"""For editors that cannot ask, and for a question that was put away."""


class Consent:
    def __init__(self, server: OutpaceServer) -> None:
        self._server = server
        self._session: dict[Path, bool] = {}
        """What holds until the editor ends, by state folder."""
        self._asking: dict[Path, asyncio.Task[bool]] = {}
        self._unanswered = 0

    @property
    def waiting(self) -> bool:
        """For an answer of the user."""
        return self._unanswered > 0

    async def given(self, workspace: Workspace, setting: Asked) -> bool:
        if setting != "ask":
            return setting == "always"
        if workspace.state not in self._session:
            kept = _read(workspace)
            if kept is None:
                # The question outlives the run that asked: the next save takes that run's place.
                asking = self._asking.get(workspace.state) or self._server.in_background(self._ask(workspace))
                self._asking[workspace.state] = asking
                kept = await asyncio.shield(asking)
            self._session.setdefault(workspace.state, kept)
        return self._session[workspace.state]

    def assume(self, workspace: Workspace) -> None:
        """The user has asked for a measurement by name."""
        self._session[workspace.state] = True

    def forget(self, folder: Path) -> None:
        """What was said for this session about projects in it."""
        for state in [state for state in self._session if state.is_relative_to(folder)]:
            del self._session[state]
        for state in [state for state in self._asking if state.is_relative_to(folder)]:
            del self._asking[state]

    async def _ask(self, workspace: Workspace) -> bool:
        question = f"May outpace run code of {workspace.root.name} to measure it? It runs sandboxed, on this machine."
        unasked = f"{workspace.root.name} is not measured: nobody has allowed it; {HOW_ELSE}"
        self._wait(+1)
        try:
            title = await self._server.ask(types.MessageType.Info, question, ALWAYS, ONCE, NEVER, otherwise=unasked)
        finally:
            self._wait(-1)
        if title is None:
            self._server.log(unasked)
        if title in (ALWAYS, NEVER):
            self._keep(workspace, title == ALWAYS)
        return title in (ALWAYS, ONCE)

    def _wait(self, more: int) -> None:
        self._unanswered += more
        show_status(self._server, self._server.optimizing.running)

    def _keep(self, workspace: Workspace, answer: bool) -> None:
        try:
            signing.keep(workspace, FILE, KEPT_AS[answer])
        except (OutpaceError, OSError) as error:
            self._server.log(f"the answer holds for this session only: {error}", types.MessageType.Warning)


def _read(workspace: Workspace) -> bool | None:
    said = signing.kept(workspace, FILE)
    return next((answer for answer, word in KEPT_AS.items() if said == word), None)
