"""Taking an applied edit back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from outpace_optimizers.records import Trial
from outpace_server.lsp.applying import make_edit
from outpace_server.lsp.audit_view import show_audit
from outpace_server.output.words import one_line, rejected_line

if TYPE_CHECKING:
    from outpace_server.lsp.server import OutpaceServer

SHOW, REVERT = "Show Audit", "Revert"


async def offer_revert(server: OutpaceServer, uri: str, again: Trial) -> None:
    """For an applied change whose gain was not found again."""
    message = f"The applied change was not confirmed: {rejected_line(again)}"
    answer = await server.ask(types.MessageType.Warning, message, REVERT, SHOW)
    if answer == SHOW:
        await show_audit(server, again)
    elif answer == REVERT:
        await revert(server, uri, again.id)


async def revert(server: OutpaceServer, uri: str, id: str) -> None:
    """Only while what the edit made is still there."""
    document = server.document(uri)
    finding = server.desk.surely(uri, document.source, id) if document else None
    if document is None or finding is None or not finding.applied:
        server.tell("The code has changed since the edit was applied, so it was not taken back.")
        return
    label = f"Revert {one_line(finding.trial.idea.title)}"
    if server.features.applies_edits:
        new_text = finding.new_text(document.source)
        await make_edit(server, document, new_text, label, "The editor did not take the edit back")
    else:
        server.tell(f"This editor takes no edit from here: choose the code action `{label}`.")
