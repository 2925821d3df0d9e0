"""The addresses of audits as virtual documents."""

from __future__ import annotations

SCHEME = "outpace-report"
PREVIEW_SCHEME = "outpace-preview"
"""A file with the change made: `outpace-preview:/ID/model.py`."""


def report_uri(id: str) -> str:
    return f"{SCHEME}:/{id}.md"


def id_of(uri: str) -> str:
    """Of a report's or a preview's address."""
    return uri.partition(":/")[2].partition("/")[0].removesuffix(".md")
