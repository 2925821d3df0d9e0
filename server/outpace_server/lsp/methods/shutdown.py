from __future__ import annotations

from outpace_server.lsp.server import OutpaceServer


def shutdown(ls: OutpaceServer, params: None) -> None:
    """Children first: the editor waits two seconds and then kills."""
    ls.stop_work()
