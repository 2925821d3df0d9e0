from __future__ import annotations

from lsprotocol import types

from outpace_optimizers.records import Trial
from outpace_server.lsp.desk import Finding
from outpace_server.lsp.publishing import best_of_each_target, header_range, page_of, title_of
from outpace_server.lsp.regions import Region
from outpace_server.lsp.server import OutpaceServer
from outpace_server.lsp.sheet import Sheet
from outpace_server.output.words import evidence, hardware, one_line, ratio, seconds, span, step_evidence


def hover(ls: OutpaceServer, params: types.HoverParams) -> types.Hover | None:
    """On the first line of what was measured or profiled; other servers own the rest."""
    sheet = ls.sheet(params.text_document.uri)
    if sheet is None:
        return None
    line = sheet.range_in_document(types.Range(params.position, params.position)).start.line
    found = [one for one in (*_measured(ls, sheet), *_profiled(ls, sheet)) if one[0].header == line]
    if not found or not sheet.holds(line):
        return None
    kind = types.MarkupKind.Markdown if ls.features.markdown else types.MarkupKind.PlainText
    value = "\n\n".join(text for _, text in found)
    return types.Hover(types.MarkupContent(kind, value), sheet.shown(header_range(sheet.document, found[0][0])))


def _measured(ls: OutpaceServer, sheet: Sheet) -> list[tuple[Region, str]]:
    if not ls.settings.hover_enable:
        return []
    findings = ls.findings(sheet.document)
    own = best_of_each_target(findings) + [f for f in findings if f.confirmed]
    shown = _table if ls.features.markdown else _plain
    return [(finding.region, _state(finding) + shown(finding.trial)) for finding in own]


def _state(finding: Finding) -> str:
    """Said here too: an editor may show a hint's own text over its first two columns only, as VS Code does."""
    return "Applied, measured again in place:\n\n" if finding.confirmed else ""


def _profiled(ls: OutpaceServer, sheet: Sheet) -> list[tuple[Region, str]]:
    marks, annotations = ls.profiles.marks(sheet.document)
    if annotations is None or not ls.settings.profile_hover_enable:
        return []
    from outpace_server.lsp.profile_words import details

    changed = sum(one.stale and not one.method for one in marks)
    return [(one.region, details(one, annotations, changed, markdown=ls.features.markdown)) for one in marks]


def _table(trial: Trial) -> str:
    rows = [
        f"| {timing.workload} | {ratio(timing.speedup)} {span(timing.interval)} "
        f"| {seconds(timing.baseline_s)} | {seconds(timing.candidate_s)} |"
        for timing in trial.verdict.timings
    ]
    verdict = trial.verdict
    table = ["| workload | speedup | before | after |", "|---|---|---|---|", *rows]
    return "\n".join(
        [
            f"**{title_of(trial)}**",
            "",
            *([one_line(verdict.reason)] if trial.whole_text else table),
            "",
            f"{verdict.numerics}, audited to {verdict.level}, on {hardware(trial)}",
            "",
            *([step_evidence(trial.step), ""] if trial.step else []),
            f"[{trial.idea.rule}]({page_of(trial)}) · `{trial.replay}`",
        ]
    )


def _plain(trial: Trial) -> str:
    return "\n".join([title_of(trial), *(f"{heading}: {text}" for heading, text in evidence(trial)), page_of(trial)])
