"""What the editor shows beside the code: a diagnostic for the best offer of each target, one for an applied change."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from lsprotocol import types
from pygls.workspace import PositionCodec, TextDocument

from outpace_optimizers.records import CARRIED_RULE, MODEL_RULE, TUNED_RULE, TUNER_RULE, Trial
from outpace_server.lsp.client_features import ClientFeatures
from outpace_server.lsp.desk import Finding
from outpace_server.lsp.regions import Region
from outpace_server.lsp.settings import Severity
from outpace_server.output.words import gain, one_line, step_evidence

SOURCE = "outpace"
PAGES = "https://github.com/outpace-dev/outpace/blob/main/docs/rules"
SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "information": types.DiagnosticSeverity.Information,
    "hint": types.DiagnosticSeverity.Hint,
}


def best_of_each_target(findings: Iterable[Finding]) -> list[Finding]:
    """Of accepted changes that come with the surest gain first."""
    best: dict[str, Finding] = {}
    for finding in findings:
        if finding.trial.verdict.accepted and not finding.applied:
            best.setdefault(finding.trial.target, finding)
    return list(best.values())


def diagnostics_of(
    document: TextDocument, findings: list[Finding], severity: Severity, features: ClientFeatures
) -> list[types.Diagnostic]:
    found: list[types.Diagnostic] = []
    if severity != "off":
        for finding in best_of_each_target(findings):
            message = f"{title_of(finding.trial)}: {certified(finding.trial)}"
            found.append(_diagnostic(document, finding, message, SEVERITIES[severity], features))
    for finding in findings:
        if finding.confirmed and finding.trial.verdict.accepted:
            message = f"applied, measured again in place: {certified(finding.trial)}"
            found.append(_diagnostic(document, finding, message, types.DiagnosticSeverity.Hint, features))
    return found


def title_of(trial: Trial) -> str:
    return f"{trial.target}: {one_line(trial.idea.title)}"


def certified(trial: Trial) -> str:
    """`1.42× [1.38, 1.46], tolerant, audited to L4, on H200`: no number without what it holds for."""
    verdict = trial.verdict
    won = gain(verdict) or one_line(verdict.reason)
    step = f"; {step_evidence(trial.step)}" if trial.step else ""
    return f"{won}, {verdict.numerics}, audited to {verdict.level}, on {one_line(verdict.machine.name)}{step}"


def header_range(document: TextDocument, region: Region) -> types.Range:
    line = document.lines[region.header] if region.header < len(document.lines) else ""
    start, end = (_units(document.position_codec, line, column) for column in (region.header_start, region.header_end))
    return types.Range(types.Position(region.header, start), types.Position(region.header, end))


@lru_cache(maxsize=4096)
def _units(codec: PositionCodec, line: str, column: int) -> int:
    """A column as the editor counts; for hundreds of lines with each key, most of them the same."""
    return codec.client_num_units(line[:column])


def page_of(trial: Trial) -> str:
    rule = trial.idea.rule.partition("+")[0]
    page = {MODEL_RULE: "model", TUNER_RULE: "tuner", CARRIED_RULE: "loop", TUNED_RULE: "training"}.get(rule)
    return f"{PAGES}/{rule}.md" if page is None else f"{PAGES.removesuffix('/rules')}/{page}.md"


def _diagnostic(
    document: TextDocument,
    finding: Finding,
    message: str,
    severity: types.DiagnosticSeverity,
    features: ClientFeatures,
) -> types.Diagnostic:
    return types.Diagnostic(
        range=header_range(document, finding.region),
        message=message,
        severity=severity,
        source=SOURCE,
        code=finding.trial.idea.rule,
        code_description=types.CodeDescription(href=page_of(finding.trial)) if features.diagnostic_links else None,
        data={"id": finding.trial.id} if features.diagnostic_data else None,
    )
