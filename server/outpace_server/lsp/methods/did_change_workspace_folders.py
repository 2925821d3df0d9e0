from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types

from outpace_server.lsp.addresses import fs_path
from outpace_server.lsp.optimizing import path_of
from outpace_server.lsp.server import OutpaceServer


def did_change_workspace_folders(ls: OutpaceServer, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """What is open stays open, but nothing is measured in a folder that was taken out until somebody saves or asks;
    what was allowed there for this session is asked again."""
    kept = _paths(list(ls.workspace.folders.values()))
    for gone in _paths(params.event.removed):
        if not any(gone.is_relative_to(folder) for folder in kept):
            _leave(ls, gone)
    ls.speedups.look_into(params.event.added)


def _leave(ls: OutpaceServer, folder: Path) -> None:
    for uri in ls.open_uris:
        path = path_of(uri)
        if path is not None and path.is_relative_to(folder):
            ls.optimizing.cancel(uri)
    ls.consent.forget(folder)
    ls.engines.leave(folder)
    ls.speedups.leave(folder)


def _paths(folders: Sequence[types.WorkspaceFolder]) -> list[Path]:
    found = [fs_path(folder.uri) for folder in folders if folder.uri.startswith("file:")]
    return [Path(path) for path in found if path]
