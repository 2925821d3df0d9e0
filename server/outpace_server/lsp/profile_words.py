"""What is said of a profile beside the code. No number without the profile that it is of."""

from __future__ import annotations

import time
from collections.abc import Iterable

from lsprotocol import types
from pygls.workspace import TextDocument

from outpace_optimizers.profiles.annotations import Advice, Annotations, Limit
from outpace_server.lsp.client_features import ClientFeatures
from outpace_server.lsp.profile_marks import Placed, PlacedAdvice
from outpace_server.lsp.publishing import SEVERITIES, header_range
from outpace_server.lsp.settings import Severity
from outpace_server.output.words import one_line, printable, seconds

SOURCE = "outpace profile"
PAGES = "https://github.com/outpace-dev/outpace/blob/main"


def label(one: Placed) -> str:
    """`31% of the step, 4.2 ms`."""
    mark = one.mark
    if one.stale:
        return "changed since the profile"
    if mark.around:
        return f"{percent(mark.share)} of the step in its own code"
    where = f" in {one.method}" if one.method else ""
    return f"{percent(mark.share)} of the step{where}, {seconds(mark.seconds)}"


def brief(one: Placed) -> str:
    """The label where another stands on the same line."""
    if one.stale:
        return "changed since profile"
    return f"{percent(one.mark.share)} {'in its own code' if one.mark.around else 'of the step'}"


def percent(share: float) -> str:
    return f"{100 * share:.0f}%" if share >= 0.1 else f"{100 * max(share, 0.0):.1f}%"


def origin(annotations: Annotations) -> str:
    """`profile train-20261126-101500, 2026-11-26 10:15, on H200`."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(annotations.recorded_at))
    device = f", on {one_line(annotations.device)}" if annotations.device else ""
    return f"profile {one_line(annotations.name)}, {when}{device}"


def heading(annotations: Annotations) -> str:
    """`python train.py: a step takes 96.7 ms, mean of 3, 70.6 ms without the profiler`."""
    command = f"{one_line(annotations.command)}: " if annotations.command else ""
    plain = f", {seconds(annotations.plain_step_s)} without the profiler" if annotations.plain_step_s else ""
    return f"{command}a step takes {seconds(annotations.step_s)}, mean of {annotations.steps}{plain}"


def details(one: Placed, annotations: Annotations, changed: int, *, markdown: bool) -> str:
    """`changed`: how many functions of the file are no longer what was profiled."""
    name = _bold(printable(one.mark.name), markdown)
    if one.stale:
        return f"{name}: its code is not what was profiled ({origin(annotations)})"
    lines = [f"{name}: {label(one)}", *_numbers(one, annotations, markdown)]
    if changed:
        lines.append(f"{changed} profiled function{'s' * (changed != 1)} of this file changed since")
    lines += [heading(annotations), origin(annotations)]
    return ("\n\n" if markdown else "\n").join(lines)


def _bold(name: str, markdown: bool) -> str:
    return f"**`{name}`**" if markdown else name


def _numbers(one: Placed, annotations: Annotations, markdown: bool) -> list[str]:
    mark = one.mark
    rows = [
        ("with all that it calls", mark.seconds),
        ("of that, its backward pass", mark.backward_s),
        ("its own", mark.own_s),
    ]
    told = [(name, seconds(time_s), percent(time_s / annotations.step_s)) for name, time_s in rows]
    if markdown:
        table = ["| | each step | |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in told)]
        lines = ["\n".join(table)]
    else:
        lines = [f"{name}: {time_s} ({share})" for name, time_s, share in told]
    if mark.operators:
        lines.append("own time in " + ", ".join(f"{one_line(name)} {percent(share)}" for name, share in mark.operators))
    calls = f"{mark.calls:.4g} call{'s' * (mark.calls != 1)} per step; " if mark.calls else ""
    return [*lines, f"{calls}{bound(mark.gain, mark.limit, worth_it=mark.worth_it)}"]


def bound(gain: float | None, limit: Limit | None, *, worth_it: bool) -> str:
    """Amdahl's law, in words."""
    if gain is None:
        return "it is the whole step"
    if limit is None:
        said = f"if it took no time, a step would be {gain:.2f}× as fast"
    else:
        said = f"{limit.bound}-bound, at most {limit.speedup:.3g}× as fast by its roofline; a step would then be "
        said += f"{gain:.2f}× as fast"
    return said if worth_it else f"{said}: not worth a GPU second"


def advice_diagnostics(
    document: TextDocument,
    found: Iterable[PlacedAdvice],
    annotations: Annotations,
    severity: Severity,
    features: ClientFeatures,
) -> list[types.Diagnostic]:
    if severity == "off":
        return []
    return [
        types.Diagnostic(
            range=header_range(document, one.region),
            message=_message(one.advice, annotations),
            severity=SEVERITIES[severity],
            source=SOURCE,
            code=one.advice.rule,
            code_description=types.CodeDescription(href=page_of(one.advice)) if features.diagnostic_links else None,
        )
        for one in found
    ]


def _message(advice: Advice, annotations: Annotations) -> str:
    gain = "the whole step" if advice.gain is None else f"at most {advice.gain:.2f}× per step"
    said = f"{advice.title}: {advice.evidence}. {advice.advice} ({gain}, {advice.numerics}, not measured)"
    made = f"made and audited by `{one_line(advice.edit)}`\n" if advice.edit else ""
    return f"{one_line(said)}\n{made}{origin(annotations)}"


def page_of(advice: Advice) -> str:
    """A rule of ours names a place in this project, one of others an address."""
    return advice.page if "://" in advice.page else f"{PAGES}/{advice.page}"
