"""The server's commands. Each returns at once; what takes time goes on in the background."""

from __future__ import annotations

from lsprotocol import types

from outpace_optimizers.source import base_hash
from outpace_server.lsp.audit_view import show_audit
from outpace_server.lsp.server import OutpaceServer


def applied(ls: OutpaceServer, uri: str, id: str) -> None:
    """After an edit of ours: measured again in place, if the text is what the edit should have made."""
    document, found = ls.document(uri), ls.desk.find(id)
    if document is None or found is None:
        return
    trial = found[1]
    if base_hash(document.source) != base_hash(trial.idea.patch.new_source):
        ls.log(f"{document.filename}: not measured again: the text is not the one that was audited")
        return
    ls.optimizing.measure_again(uri, trial)


def stale(ls: OutpaceServer, uri: str, id: str) -> None:
    ls.in_background(_offer_to_measure(ls, uri))


async def _offer_to_measure(ls: OutpaceServer, uri: str) -> None:
    measure = types.MessageActionItem(title="Measure again")
    answer = await ls.window_show_message_request_async(
        types.ShowMessageRequestParams(
            type=types.MessageType.Info,
            message="The file has changed since this was measured, so nothing was applied.",
            actions=[measure],
        )
    )
    if answer is not None:
        ls.optimizing.queue(uri, "interactive")


def remeasure(ls: OutpaceServer, uri: str) -> None:
    ls.optimizing.queue(uri, "interactive")


def show(ls: OutpaceServer, id: str) -> None:
    found = ls.desk.find(id)
    if found is None:
        said = types.ShowMessageParams(
            type=types.MessageType.Info, message="This verdict is of a file that was closed."
        )
        ls.window_show_message(said)
    else:
        ls.in_background(show_audit(ls, found[1]))


def cancel_all(ls: OutpaceServer) -> None:
    ls.optimizing.cancel_all()


COMMANDS = {
    "outpace.applied": applied,
    "outpace.stale": stale,
    "outpace.remeasure": remeasure,
    "outpace.showAudit": show,
    "outpace.cancelAll": cancel_all,
}
