from __future__ import annotations

import asyncio
from typing import Any

from outpace_server.lsp.reports import parts_of
from outpace_server.lsp.server import OutpaceServer

METHOD = "outpace/report"


async def report(ls: OutpaceServer, params: Any) -> dict[str, str] | None:
    """`{"id"}` of a verdict, or of a profile or a night that is being shown, to `{"title", "style", "body"}`: HTML for
    a page of the client's own, with its own policy and colours. Nothing in it runs or is loaded. None for what is not
    at hand."""
    id = str(getattr(params, "id", ""))
    if (page := ls.pages.waiting.pop(id, None)) is not None:
        return page
    found = ls.audited(id)
    return None if found is None else await asyncio.to_thread(parts_of, found[1])
