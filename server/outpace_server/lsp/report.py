"""The evidence behind one verdict as a Markdown document: every check, every time, and how to measure it again."""

from __future__ import annotations

from outpace_audit.records import Check
from outpace_optimizers.records import Trial
from outpace_server.output.words import evidence, gain, one_line

SCHEME = "outpace-report"


def report_uri(id: str) -> str:
    return f"{SCHEME}:/{id}.md"


def id_of_report(uri: str) -> str:
    return uri.removeprefix(f"{SCHEME}:/").removesuffix(".md")


def markdown(trial: Trial) -> str:
    verdict = trial.verdict
    outcome = "accepted" if verdict.accepted else f"rejected: {one_line(verdict.reason)}"
    lines = [f"# {trial.target}: {one_line(trial.idea.title)}", "", f"**{outcome}** {gain(verdict)}".rstrip(), ""]
    lines += [f"- {heading}: {text}" for heading, text in evidence(trial)]
    lines += ["", "## Checks", "", "| level | check | | evidence | limit |", "|---|---|---|---|---|"]
    lines += [_row(check) for check in verdict.checks]
    lines += ["", "## Change", "", "```diff", trial.diff.rstrip("\n"), "```", ""]
    return "\n".join(lines)


def _row(check: Check) -> str:
    cells = (check.level, check.name, "✓" if check.passed else "✗", check.evidence, check.threshold)
    return "| " + " | ".join(one_line(cell).replace("|", "\\|") for cell in cells) + " |"
