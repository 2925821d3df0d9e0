"""The server's commands. Each returns at once; what takes time goes on in the background."""

from __future__ import annotations

from lsprotocol import types

from outpace_audit.errors import OutpaceError
from outpace_server.lsp import applying, audit_view, nights, reverting
from outpace_server.lsp.optimizing import path_of
from outpace_server.lsp.server import OutpaceServer


def applied(ls: OutpaceServer, uri: str, id: str) -> None:
    """After an edit of ours."""
    document = ls.document(uri)
    if document is not None:
        applying.note_applied(ls, document, id)


def apply(ls: OutpaceServer, uri: str, id: str) -> None:
    ls.attend()
    ls.in_background(applying.apply(ls, uri, id))


def revert(ls: OutpaceServer, uri: str, id: str) -> None:
    ls.in_background(reverting.revert(ls, uri, id))


def dismiss(ls: OutpaceServer, uri: str, id: str) -> None:
    """For this code, also in the next session."""
    document, path = ls.document(uri), path_of(uri)
    if document is not None:
        found = [(finding.trial, finding.base) for finding in ls.findings(document) if finding.trial.id == id]
    else:
        found = ls.speedups.of_closed_file(uri, id)
    if path is None or not found:
        return
    try:
        ls.dismissed.dismiss(path, *found[0])
    except (OutpaceError, OSError) as error:
        ls.log(f"dismissed for this session only: {error}", types.MessageType.Warning)
    ls.publish(uri)
    ls.refresh()


def restore_dismissed(ls: OutpaceServer) -> None:
    """All that was dismissed in the workspaces of the open files."""
    for uri in ls.desk.uris:
        path = path_of(uri)
        if path is not None:
            ls.dismissed.restore(path)
            ls.publish(uri)
    ls.refresh()


def stale(ls: OutpaceServer, uri: str, id: str) -> None:
    ls.in_background(applying.say_stale(ls, uri))


def remeasure(ls: OutpaceServer, uri: str) -> None:
    ls.attend()
    ls.optimizing.queue_asked(uri)


def show_audit(ls: OutpaceServer, id: str) -> None:
    found = ls.audited(id)
    if found is None:
        ls.tell("This verdict is of a file that was closed, or of a text that is gone.")
    else:
        ls.in_background(audit_view.show_audit(ls, found[1]))


def cancel(ls: OutpaceServer, uri: str) -> None:
    ls.optimizing.cancel(uri)


def cancel_all(ls: OutpaceServer) -> None:
    ls.optimizing.cancel_all()


def profile(ls: OutpaceServer, uri: str, *arguments: object) -> None:
    """A script, with what follows its name."""
    ls.attend()
    ls.profiling.profile(uri, [str(one) for one in arguments])


def show_profile(ls: OutpaceServer, *uri: object) -> None:
    """Of a file; without one, the newest."""
    ls.profiling.show(str(uri[0]) if uri else None)


def show_progress(ls: OutpaceServer, *uri: object) -> None:
    """Of the night on a file's project; without a file, on the first folder."""
    ls.in_background(nights.show_progress(ls, str(uri[0]) if uri else None))


def pause(ls: OutpaceServer, *uri: object) -> None:
    ls.in_background(nights.rest(ls, str(uri[0]) if uri else None, paused=True))


def resume(ls: OutpaceServer, *uri: object) -> None:
    ls.in_background(nights.rest(ls, str(uri[0]) if uri else None, paused=False))


COMMANDS = {
    "outpace.apply": apply,
    "outpace.applied": applied,
    "outpace.stale": stale,
    "outpace.revert": revert,
    "outpace.remeasure": remeasure,
    "outpace.showAudit": show_audit,
    "outpace.dismiss": dismiss,
    "outpace.restoreDismissed": restore_dismissed,
    "outpace.profile": profile,
    "outpace.showProfile": show_profile,
    "outpace.showProgress": show_progress,
    "outpace.pause": pause,
    "outpace.resume": resume,
    "outpace.cancel": cancel,
    "outpace.cancelAll": cancel_all,
}
