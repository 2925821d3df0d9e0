from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lsprotocol import types

from outpace_server.lsp.applying import say_stale
from outpace_server.lsp.methods.code_action import with_edit
from outpace_server.lsp.server import OutpaceServer


def code_action_resolve(ls: OutpaceServer, params: types.CodeAction) -> types.CodeAction:
    """The edit, if what the target reaches is still what was measured; else a command that says so.

    Never an error: editors show it raw. VS Code (1.139) ignores the version in the edit, so the text is compared.
    """
    data: Any = params.data
    if not isinstance(data, Mapping) or "id" not in data or "uri" not in data:
        return params
    uri, id = str(data["uri"]), str(data["id"])  # pyright: ignore[reportUnknownArgumentType]
    document = ls.document(uri)
    finding = ls.desk.surely(uri, document.source, id) if document else None
    if document is None or finding is None or finding.applied or not finding.trial.verdict.accepted:
        if ls.features.resolves_commands:
            params.command = types.Command(title="Out of date", command="outpace.stale", arguments=[uri, id])
        else:
            ls.in_background(say_stale(ls, uri))
        return params
    return with_edit(ls, document, params, finding)
