"""The commands of `optimize --overnight` in an editor: how far it has come, and letting it rest."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from outpace_audit.errors import OutpaceError
from outpace_audit.records import content_id
from outpace_optimizers.engine.pausing import pause, resume
from outpace_optimizers.workspace import Workspace
from outpace_server.lsp.addresses import fs_path
from outpace_server.lsp.optimizing import path_of
from outpace_server.trouble import explain

if TYPE_CHECKING:
    from outpace_server.lsp.server import OutpaceServer

FOLDER = "reports"
NONE_YET = "There was no night here: `outpace optimize DIR --overnight` begins one."


async def show_progress(server: OutpaceServer, uri: str | None) -> None:
    """Of the project of a file; without one, of the first folder. Asked for again, it shows what is new."""
    workspace = workspace_of(server, uri)
    try:
        made = None if workspace is None else await asyncio.to_thread(_made, workspace)
        if workspace is None or made is None:
            server.tell(NONE_YET)
            return
        id = f"night-{content_id(str(workspace.state))}"
        await server.pages.show(id, *made, workspace.state / FOLDER / "overnight.html", "The night's page")
    except (OutpaceError, OSError) as error:
        server.tell(f"The night cannot be shown: {explain(error)}")


async def rest(server: OutpaceServer, uri: str | None, *, paused: bool) -> None:
    """Background work of the project, the editor's own too."""
    workspace = workspace_of(server, uri)
    if workspace is None:
        server.tell("No folder is open.")
        return
    try:
        changed = await asyncio.to_thread(pause if paused else resume, workspace)
    except (OutpaceError, OSError) as error:
        server.tell(explain(error))
        return
    name = workspace.root.name
    if paused:
        server.tell(f"{name}: background work rests after the trial that is under way.")
    else:
        server.tell(f"{name}: background work goes on." if changed else f"{name}: nothing was paused.")


def workspace_of(server: OutpaceServer, uri: str | None) -> Workspace | None:
    path = path_of(uri) if uri is not None else None
    if path is None:
        roots = [fs_path(folder.uri) for folder in server.workspace.folders.values()]
        first = next((root for root in (*roots, server.workspace.root_path) if root), None)
        path = Path(first) if first else None
    return None if path is None else Workspace.of(path)


def _made(workspace: Workspace) -> tuple[str, str] | None:
    """Title and body. What makes them is imported with the first one that is asked for."""
    from outpace_optimizers.model.lessons import Lessons
    from outpace_optimizers.overnight.campaign import newest_night
    from outpace_server.report.night_page import body, title

    known = newest_night(workspace.state)
    if known is None:
        return None
    night, running = known
    return title(night), body(night, Lessons(workspace.state), running=running)
