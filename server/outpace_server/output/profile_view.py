"""A profile on the terminal: the step, what it is made of, what it would pay to make faster, what to do."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from outpace_optimizers.profile_rules.registry import suggestions
from outpace_optimizers.profiles.ranking import Change, Ranked, best_gain, differences, ranked
from outpace_optimizers.profiles.records import Portion, Profile
from outpace_optimizers.roofline.records import Roofline
from outpace_server.output.words import one_line, printable, seconds

SHOWN = 15
"""Rows of each table; --json has all."""
SMALL = 8
"""Names of what is not worth it."""
NOTICEABLE = 0.01
"""Of a step: what recording has added and is taken off is said from here on."""


def percent(share: float) -> str:
    return f"{100 * max(share, 0.0):.1f}%"  # what recording adds may be a little overestimated


def gain_words(gain: float) -> str:
    return "the whole step" if math.isinf(gain) else f"at most {gain:.2f}×"


def distance_words(one: Ranked) -> str:
    """`2.4× memory`: how much faster it could be, and what limits it; empty where no roofline says."""
    return "" if one.distance is None else f"{one.distance.speedup:.3g}× {one.distance.bound}"


def _speedup(one: Ranked) -> str:
    return "" if one.distance is None else f"{one.distance.speedup:.3g}×"


def show_profile(console: Console, profile: Profile, root: Path, rooflines: Iterable[Roofline] = ()) -> None:
    for line in heading(profile):
        console.print(line, markup=False)
    if profile.breakdown:
        console.print(_portions("of the step", profile, (p for p in profile.breakdown if p.seconds > 0)))
    ranking = ranked(profile, rooflines)
    console.print(_targets(profile, ranking.worth[:SHOWN], root))
    if (more := len(ranking.worth) - SHOWN) > 0:
        console.print(f"and {more} more: --json has all", markup=False)
    for portion in profile.of_nobody:
        said = f"given to no code: {printable(portion.name)}, {seconds(portion.seconds)}"
        console.print(f"{said} ({percent(profile.share(portion.seconds))})", markup=False)
    if ranking.rest:
        console.print(not_worth(ranking.rest), markup=False)
    for line in ranking.unused:
        console.print(one_line(line), markup=False)
    if profile.kernels:
        console.print(_portions("kernels", profile, profile.kernels[:SHOWN]))
    for line in suggestion_lines(profile):
        console.print(line, markup=False)
    for note in profile.notes:
        console.print(f"note: {one_line(note)}", markup=False)


def heading(profile: Profile) -> list[str]:
    by = f", ended by {printable(profile.step_by)}" if profile.step_by else ""
    lines = [f"one step: {seconds(profile.profiled_step_s)} under the profiler, mean of {profile.steps}{by}"]
    if profile.plain_step_s:
        lines[0] += f"; {seconds(profile.plain_step_s)} without it"
    if profile.step_s < profile.profiled_step_s * (1 - NOTICEABLE):
        lines.append(
            f"times of targets are without what recording them has added: they add up to {seconds(profile.step_s)}"
        )
    if profile.device is not None:
        busy = profile.share(profile.device.busy_s)
        lines.append(f"the device is busy for {percent(busy)} of it, with {profile.device.kernels:.4g} kernels")
    if (peak := profile.run.get("peak_memory")) and (total := profile.run.get("total_memory")):
        lines.append(f"peak memory {peak / 1e9:.3g} GB of {total / 1e9:.3g} GB")
    lines.append(f"{percent(profile.share(profile.attributed_s))} of it is given to code")
    return lines


def suggestion_lines(profile: Profile) -> list[str]:
    found = suggestions(profile)
    lines: list[str] = []
    for one in found.suggestions:
        gain = gain_words(best_gain(min(profile.share(one.seconds), 1.0)))
        lines.append(f"{one.rule}: {one_line(one.evidence)}")
        lines.append(f"  {one_line(one.advice)} ({gain} per step, {one.numerics})")
        if one.edit:
            lines.append(f"  made and audited by `{one_line(one.edit)}`")
    return lines + [f"rule {trouble.rule} failed: {one_line(trouble.message)}" for trouble in found.troubles]


def not_worth(rest: Iterable[Ranked]) -> str:
    found = list(rest)
    names = ", ".join(
        f"{printable(one.target.name)} {percent(one.share)}{', at its limit' if one.distance else ''}"
        for one in found[:SMALL]
    )
    more = f" and {len(found) - SMALL} more" if len(found) > SMALL else ""
    return f"not worth a GPU second (gains nothing that could be measured): {names}{more}"


def where(one: Ranked, root: Path) -> str:
    target = one.target
    if target.path is None:
        return target.kind
    path = Path(target.path)
    shown = path.relative_to(root) if root in path.parents else path
    return f"{shown}:{target.line}" + (" (changed since)" if one.stale else "")


def name_of(one: Ranked) -> str:
    return printable(one.target.name) + (" (own code)" if one.target.around else "")


def _targets(profile: Profile, found: Iterable[Ranked], root: Path) -> Table:
    shown = list(found)
    known = any(one.distance is not None for one in shown)
    table = _table("target", "share", "backward", "own", "calls", *(("faster ≤",) if known else ()), "gain ≤", "where")
    for one in shown:
        target = one.target
        table.add_row(
            name_of(one),
            percent(one.share),
            "" if target.around else percent(profile.share(target.backward_s)),
            percent(profile.share(target.own_s)),
            f"{target.calls:.4g}" if target.calls else "",
            *((_speedup(one),) if known else ()),
            "" if math.isinf(one.best_gain) else f"{one.best_gain:.2f}×",
            where(one, root),
        )
    return table


def _portions(heading: str, profile: Profile, portions: Iterable[Portion]) -> Table:
    table = _table(heading, "time", "share", "calls", "where")
    for portion in portions:
        name = one_line(portion.name)
        table.add_row(
            name if len(name) <= 60 else f"{name[:57]}...",
            seconds(portion.seconds),
            percent(portion.seconds / profile.profiled_step_s),
            f"{portion.count:.4g}" if portion.count else "",
            printable(portion.where),
        )
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    right = ("share", "backward", "own", "calls", "faster ≤", "gain ≤", "time", "before", "after", "change")
    for heading in headings:
        side = "right" if heading in right else "left"
        whole = heading in (headings[0], "where")  # a place in a file is copied, and opened by a click
        table.add_column(heading, overflow="fold", justify=side, no_wrap=whole)
    return table


def show_differences(console: Console, before: Profile, after: Profile) -> None:
    console.print(
        f"one step: {seconds(before.step_s)} -> {seconds(after.step_s)} "
        f"({before.step_s / after.step_s:.2f}× as fast, under the profiler)",
        markup=False,
    )
    if before.plain_step_s and after.plain_step_s:
        console.print(
            f"without it: {seconds(before.plain_step_s)} -> {seconds(after.plain_step_s)} "
            f"({before.plain_step_s / after.plain_step_s:.2f}×)",
            markup=False,
        )
    console.print("no interval: these are single recordings, and no verdict", markup=False)
    table = _table("target", "before", "after", "change", "of the step before")
    for change in differences(before, after)[:SHOWN]:
        table.add_row(*_change_row(change, before))
    console.print(table)


def _change_row(change: Change, before: Profile) -> tuple[str, ...]:
    sign = "+" if change.difference_s >= 0 else "−"
    return (
        printable(change.name),
        "" if change.before_s is None else seconds(change.before_s),
        "" if change.after_s is None else seconds(change.after_s),
        f"{sign}{seconds(abs(change.difference_s))}",
        f"{sign}{percent(abs(before.share(change.difference_s)))}",
    )
