"""Reports for an editor. What makes them is imported with the first one that is asked for: a server starts without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from outpace_audit.errors import EvidenceError
from outpace_optimizers.records import Trial


def markdown_of(trial: Trial) -> str:
    from outpace_server.report.markdown import markdown
    from outpace_server.report.record import Record

    return markdown(Record(trial))


def parts_of(trial: Trial) -> dict[str, str]:
    """`{"title", "style", "body"}` of a page of HTML: with every timed window, where the evidence is still there and of
    this verdict."""
    from outpace_optimizers.evidence import read_evidence
    from outpace_server.report.html import body, title
    from outpace_server.report.record import Record, record_of

    path = Path(trial.evidence)
    record = Record(trial)
    if trial.evidence:
        try:
            evidence = read_evidence(path)
        except EvidenceError:
            pass
        else:
            if evidence.trial.verdict.id == trial.id:
                kept = record_of(evidence, path)
                record = replace(kept, trial=replace(kept.trial, step=trial.step))
    return {"title": title(record), "style": style(), "body": body(record)}


def page_of(title: str, body: str) -> str:
    """A file of its own. `body` is markup."""
    from outpace_server.report.html import document_of
    from outpace_server.report.markup import Markup

    return document_of(title, Markup(body))


def style() -> str:
    from outpace_server.report.style import STYLE

    return STYLE
