"""A profile as a page of HTML that needs nothing else: the step, its targets, kernels, suggestions.

`python -m outpace_server.report.profile_page` makes one for the language server, which keeps no profile itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from outpace_audit.codec import WrongField, decode
from outpace_audit.records import Machine
from outpace_optimizers.profile_rules.registry import suggestions
from outpace_optimizers.profiles.annotating import answer_with, profile_of
from outpace_optimizers.profiles.ranking import Ranked, best_gain, ranked
from outpace_optimizers.profiles.records import Portion, Profile
from outpace_optimizers.roofline.records import Roofline
from outpace_optimizers.roofline.store import known
from outpace_optimizers.workspace import Workspace
from outpace_server.output.profile_view import distance_words, gain_words, heading, name_of, not_worth, percent, where
from outpace_server.output.words import machine_words, seconds
from outpace_server.report.html import document_of, section
from outpace_server.report.markup import Child, Markup, table, tag
from outpace_server.report.plots import shares_plot
from outpace_server.report.timeline_plot import timeline_plot

MOST_BARS = 20
MOST_ROWS = 60


def profile_page(profile: Profile, rooflines: Iterable[Roofline] = ()) -> str:
    return document_of(_title(profile), _body(profile, rooflines))


def _title(profile: Profile) -> str:
    return f"profile of {_script(profile)}"


def _parts(request: Mapping[str, Any]) -> dict[str, str]:
    profile = profile_of(request)
    rooflines = known(Workspace(Path(request["root"])).state)
    return {"title": _title(profile), "body": _body(profile, rooflines)}


def _script(profile: Profile) -> str:
    return Path(str(profile.run.get("main") or profile.trace)).name


def _body(profile: Profile, rooflines: Iterable[Roofline]) -> Markup:
    ranking = ranked(profile, rooflines)
    facts = {"trace": profile.trace, "command": str(profile.run.get("command", "")), "hardware": _hardware(profile)}
    items = [item for name, text in facts.items() if text for item in (tag("dt", name), tag("dd", text))]
    head = tag("header", tag("h1", f"Profile of {_script(profile)}"), [tag("p", line) for line in heading(profile)])
    said = (*profile.notes, *ranking.unused)
    notes = section("Notes", tag("ul", [tag("li", note) for note in said])) if said else Markup()
    return tag(
        "main", head, tag("dl", items), _breakdown(profile), _timeline(profile), _suggestions(profile),
        _targets(profile, ranking.worth),
        tag("p", not_worth(ranking.rest), class_="key") if ranking.rest else Markup(), _kernels(profile), notes,
    )  # fmt: skip


def _hardware(profile: Profile) -> str:
    try:
        return machine_words(decode(Machine, profile.run.get("machine")))
    except WrongField:
        return ""


def _breakdown(profile: Profile) -> Markup:
    parts = [(portion.name, portion.seconds) for portion in profile.breakdown if portion.seconds > 0]
    if not parts:
        return Markup()
    key = (
        "Exclusive: each instant counts for the first of these that was under way, in this order. By torch-tb-profiler."
    )
    return section(
        "The step by kind of work", tag("p", key, class_="key"), shares_plot("A step", parts, profile.profiled_step_s)
    )


def _timeline(profile: Profile) -> Markup:
    if profile.timeline is None or not profile.timeline.lanes:
        return Markup()
    key = "The host's code, outermost first, then what each queue of the device ran and for whom. Point at a "
    key += "stretch for its name."
    return section("One step", tag("p", key, class_="key"), timeline_plot(profile.timeline))


def _suggestions(profile: Profile) -> Markup:
    found = suggestions(profile).suggestions
    rows: list[list[Child]] = [
        [
            tag("code", one.rule), one.evidence, one.advice, tag("code", one.edit) if one.edit else "",
            gain_words(best_gain(min(profile.share(one.seconds), 1.0))), one.numerics,
        ]
        for one in found
    ]  # fmt: skip
    if not rows:
        return section("Suggestions", tag("p", "No rule found anything.", class_="key"))
    return section(
        "Suggestions",
        table(
            "With what the trace shows",
            ["rule", "evidence", "what to do", "made and audited by", "the step gains", "class"],
            rows,
        ),
    )


def _targets(profile: Profile, found: Iterable[Ranked]) -> Markup:
    shown = list(found)[:MOST_ROWS]
    root = Path(str(profile.run.get("cwd") or "/"))
    bars = [(name_of(one), profile.at_stake(one.target)) for one in shown[:MOST_BARS]]
    rows: list[list[Child]] = [
        [
            tag("code", name_of(one)), percent(one.share), percent(profile.share(one.target.backward_s)),
            percent(profile.share(one.target.own_s)), f"{one.target.calls:.4g}", distance_words(one),
            gain_words(one.best_gain), where(one, root), _operators(profile, one.target.operators),
        ]
        for one in shown
    ]  # fmt: skip
    rows.extend(
        [f"given to no code: {portion.name}", percent(profile.share(portion.seconds)), *[""] * 7]
        for portion in profile.of_nobody
    )
    head = ["target", "share", "backward", "own", "calls", "could be faster", "the step gains", "where", "own time in"]
    key = "Inclusive: with what a target calls, and with the backward pass that it causes. The gain is Amdahl's bound: "
    key += "for a target with a roofline if it were at the machine's limit, for others if it took no time."
    plot = shares_plot("Targets, inclusive", bars, profile.step_s) if bars else Markup()
    return section("Targets", tag("p", key, class_="key"), plot, table("Share of the step", head, rows))


def _operators(profile: Profile, operators: Iterable[Portion]) -> str:
    return ", ".join(f"{one.name} {percent(profile.share(one.seconds))}" for one in list(operators)[:4])


def _kernels(profile: Profile) -> Markup:
    rows: list[list[Child]] = [
        [
            tag("code", one.name), seconds(one.seconds), percent(one.seconds / profile.profiled_step_s),
            f"{one.count:.4g}", one.where,
        ]
        for one in profile.kernels[:MOST_ROWS]
    ]  # fmt: skip
    if not rows:
        return Markup()
    return section("Kernels", table("Per step", ["kernel", "time", "share", "launches", "for"], rows))


if __name__ == "__main__":
    answer_with(_parts)
