"""The addresses of audits as virtual documents."""

from __future__ import annotations

SCHEME = "outpace-report"


def report_uri(id: str) -> str:
    return f"{SCHEME}:/{id}.md"


def id_of_report(uri: str) -> str:
    return uri.removeprefix(f"{SCHEME}:/").removesuffix(".md")
