from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from outpace_audit.errors import EvidenceError
from outpace_optimizers.evidence import read_evidence
from outpace_optimizers.records import Trial
from outpace_server.lsp.server import OutpaceServer
from outpace_server.report.html import body, title
from outpace_server.report.record import Record, record_of
from outpace_server.report.style import STYLE

METHOD = "outpace/report"


async def report(ls: OutpaceServer, params: Any) -> dict[str, str] | None:
    """`{"id"}` of a verdict, or of a profile that is being shown, to `{"title", "style", "body"}`: HTML for a page of
    the client's own, with its own policy and colours. Nothing in it runs or is loaded. None for what is not at hand."""
    id = str(getattr(params, "id", ""))
    if (page := ls.profiling.pages.pop(id, None)) is not None:
        return page
    found = ls.desk.find(id)
    if found is None:
        return None
    record = await asyncio.to_thread(_record, found[1])
    return {"title": title(record), "style": STYLE, "body": body(record)}


def _record(trial: Trial) -> Record:
    """With every timed window, where the evidence is still there and of this verdict."""
    if not trial.evidence:
        return Record(trial)
    path = Path(trial.evidence)
    try:
        evidence = read_evidence(path)
    except EvidenceError:
        return Record(trial)
    return record_of(evidence, path) if evidence.trial.verdict.id == trial.id else Record(trial)
