"""Opens the evidence behind a verdict: as a virtual document where the client has them, else as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pygls import uris

from outpace_audit.errors import OutpaceError
from outpace_optimizers.records import Trial
from outpace_optimizers.workspace import Workspace, write_atomically
from outpace_server.lsp.report_uri import report_uri
from outpace_server.lsp.reports import markdown_of
from outpace_server.trouble import explain

if TYPE_CHECKING:
    from outpace_server.lsp.server import OutpaceServer

FOLDER = "reports"


async def show_audit(server: OutpaceServer, trial: Trial) -> None:
    if server.features.virtual_documents and await server.shows(report_uri(trial.id), focus=True):
        return
    try:
        path = _written(trial)
    except (OutpaceError, OSError) as error:
        server.tell(f"The audit cannot be written: {explain(error)}")
        return
    if not await server.shows(uris.from_fs_path(str(path)) or ""):
        server.tell(f"The audit is in {path}.")


def _written(trial: Trial) -> Path:
    workspace = Workspace.of(Path(trial.idea.patch.path))
    workspace.prepare()
    path = workspace.state / FOLDER / f"{trial.id}.md"
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, markdown_of(trial))
    return path
