"""What the editor shows beside the code: a diagnostic for the best offer of each target, one for an applied change."""

from __future__ import annotations

from lsprotocol import types
from pygls.workspace import TextDocument

from outpace_optimizers.records import Trial
from outpace_optimizers.source import lines_of
from outpace_server.lsp.regions import Region, region_of
from outpace_server.lsp.settings import Severity
from outpace_server.output.words import gain, one_line

SOURCE = "outpace"
PAGES = "https://github.com/outpace-dev/outpace/blob/main/docs/rules"
SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "information": types.DiagnosticSeverity.Information,
    "hint": types.DiagnosticSeverity.Hint,
}


def best_of_each_target(offers: list[Trial]) -> list[Trial]:
    """`offers` come with the surest gain first."""
    best: dict[str, Trial] = {}
    for trial in offers:
        best.setdefault(trial.target, trial)
    return list(best.values())


def diagnostics_of(
    document: TextDocument, offers: list[Trial], applied: Trial | None, severity: Severity
) -> list[types.Diagnostic]:
    found: list[types.Diagnostic] = []
    if severity != "off":
        for trial in best_of_each_target(offers):
            message = f"{title_of(trial)}: {certified(trial)}"
            found.append(_diagnostic(document, trial, message, SEVERITIES[severity]))
    if applied is not None and applied.verdict.accepted:
        message = f"applied, measured again in place: {certified(applied)}"
        found.append(_diagnostic(document, applied, message, types.DiagnosticSeverity.Hint))
    return found


def title_of(trial: Trial) -> str:
    return f"{trial.target}: {one_line(trial.idea.title)}"


def certified(trial: Trial) -> str:
    """`1.42× [1.38, 1.46], tolerant, audited to L4, on H200`: no number without what it holds for."""
    verdict = trial.verdict
    return f"{gain(verdict)}, {verdict.numerics}, audited to {verdict.level}, on {one_line(verdict.machine.name)}"


def header_range(document: TextDocument, region: Region) -> types.Range:
    characters = types.Range(
        types.Position(region.header, region.header_start), types.Position(region.header, region.header_end)
    )
    return document.position_codec.range_to_client_units(lines_of(document.source), characters)


def _diagnostic(
    document: TextDocument, trial: Trial, message: str, severity: types.DiagnosticSeverity
) -> types.Diagnostic:
    rule = trial.idea.rule.partition("+")[0]
    return types.Diagnostic(
        range=header_range(document, region_of(document.source, trial.idea.patch)),
        message=message,
        severity=severity,
        source=SOURCE,
        code=trial.idea.rule,
        code_description=types.CodeDescription(href=f"{PAGES}/{rule}.md"),
        data={"id": trial.id},
    )
