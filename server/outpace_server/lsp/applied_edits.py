"""The edits of ours that were made, kept in the workspace: they can be taken back after a restart too.

Signed with this machine's id, so that a repository cannot bring edits along that would be offered as ours.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

from outpace_audit.codec import decode
from outpace_audit.records import content_id
from outpace_optimizers.workspace import Workspace, write_atomically
from outpace_server.lsp.desk import Applied

FILE = "applied.json"
KEPT = 20
"""Of a workspace, the newest: each has the text of its file twice."""


def keep(workspace: Workspace, path: Path, done: Applied) -> None:
    """In place of what was kept of the same edit. Raises OSError or EnvironmentMissing where it cannot be kept."""
    others = [one for one in _read(workspace) if one.get("id") != done.trial.id or one.get("path") != str(path)]
    edits = [*others, {"id": done.trial.id, "path": str(path), "edit": asdict(done)}][-KEPT:]
    workspace.prepare()
    write_atomically(workspace.state / FILE, json.dumps({"on": _here(workspace), "edits": edits}) + "\n")


def kept(workspace: Workspace, path: Path) -> list[Applied]:
    """Those of one file, the oldest first; without what another version wrote in words that this one does not know."""
    found: list[Applied] = []
    for one in _read(workspace):
        if one.get("path") == str(path):
            try:
                found.append(decode(Applied, one["edit"]))
            except (KeyError, ValueError):
                continue
    return found


def _read(workspace: Workspace) -> list[dict[str, Any]]:
    try:
        given = json.loads((workspace.state / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    if not isinstance(given, dict) or given.get("on") != _here(workspace):  # pyright: ignore[reportUnknownMemberType]
        return []
    edits: Any = given.get("edits")  # pyright: ignore[reportUnknownMemberType]
    return [one for one in edits if isinstance(one, dict)] if isinstance(edits, list) else []  # pyright: ignore[reportUnknownVariableType]


def _here(workspace: Workspace) -> str:
    return content_id("applied", str(workspace.root), uuid.getnode())
