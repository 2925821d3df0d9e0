"""`outpace/status`, for clients that announce `experimental.outpaceStatus`: how the server is, in one line.

{"health": "ok" | "warning" | "error", "quiescent": bool, "message": str, "device": str | null, "queue": int}

`warning` where the last run failed for what the machine lacks, or how it is set up: the message says what. `device`:
where the last verdict came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outpace_server.lsp.server import OutpaceServer

METHOD = "outpace/status"


def show_status(server: OutpaceServer, running: int) -> None:
    """`running`: files that are being measured or wait for it."""
    if not server.features.status:
        return
    settings = server.settings
    if not settings.trusted:
        message = "restricted: nothing is run in a workspace that is not trusted"
    elif not settings.runs:
        message = "off"
    elif server.consent.waiting:
        message = "waiting for consent"
    elif waiting := server.optimizing.waiting:
        message = waiting
    elif running:
        message = f"measuring {running} file{'s' * (running != 1)}"
    else:
        message = server.optimizing.trouble or "idle"
    health = "warning" if message == server.optimizing.trouble else "ok"
    quiescent = running == 0 or server.consent.waiting or bool(server.optimizing.waiting)
    server.protocol.notify(
        METHOD,
        {
            "health": health,
            "quiescent": quiescent,
            "message": message,
            "device": server.optimizing.device or None,
            "queue": running,
        },
    )
