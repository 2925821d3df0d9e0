"""The edits of ours that were made, kept in the workspace: they can be taken back after a restart too.

Signed with this user's key, so that a repository cannot bring edits along that would be offered as ours.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

from outpace_audit.codec import decode
from outpace_optimizers import signing
from outpace_optimizers.workspace import Workspace
from outpace_server.lsp.desk import Applied

FILE = "applied.json"
KEPT = 20
"""Of a workspace, the newest: each has the text of its file twice."""


def keep(workspace: Workspace, path: Path, done: Applied) -> None:
    """In place of what was kept of the same edit. Raises OSError or EnvironmentMissing where it cannot be kept."""
    file = str(path.resolve())
    others = [one for one in _read(workspace) if one["id"] != done.trial.id or one["path"] != file]
    edits = [*others, {"id": done.trial.id, "path": file, "edit": asdict(done)}][-KEPT:]
    signing.keep(workspace, FILE, edits)


def kept(workspace: Workspace, path: Path, texts: Collection[str]) -> list[Applied]:
    """Those of one file, the oldest first; without what another version wrote in words that this one does not know.
    What made one of its `texts` in a file that is gone was made in this one, before it was moved."""
    found: list[Applied] = []
    for one in _read(workspace):
        here = one["path"] == str(path.resolve())
        if here or not Path(one["path"]).exists():
            try:
                done = decode(Applied, one["edit"])
            except (KeyError, ValueError):
                continue
            if here or done.after in texts:
                found.append(done)
    return found


def _read(workspace: Workspace) -> list[dict[str, Any]]:
    return signing.kept(workspace, FILE) or []
