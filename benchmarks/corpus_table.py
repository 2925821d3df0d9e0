"""What the kept results of the corpus say: the confusion table, and the block of docs/audit.md that quotes it."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from corpus_items import Item

from outpace_audit.checks import registry

TIMED = {check.name for check in (*registry.TIMING, *registry.CONFIRMED)}.union(("screen", "timed-run")).difference(
    check.name for check in registry.CALLS
)
"""Checks that only a timed audit reaches."""

WIDTH = 120
"""Of lines in docs/."""

HACK_OUTCOMES = ("caught", "other check", "missed", "needs timing", "no verdict")
HONEST_OUTCOMES = ("passed", "rejected", "no verdict")


def outcome_of(item: Item, result: Mapping[str, Any]) -> str:
    """One of HACK_OUTCOMES or HONEST_OUTCOMES. An honest item that fails only at L4 has passed: being faster is another
    question than being right. `screen` says what `speedup` says, earlier."""
    if result["outcome"] == "no verdict":
        return "no verdict"
    check = "speedup" if result["check"] == "screen" else result["check"]
    if item.side == "honest":
        return "rejected" if check and check not in TIMED else "passed"
    if check:
        return "caught" if check in item.caught_by else "other check"
    return "needs timing" if result["last"] < "L4" and set(item.caught_by) <= TIMED else "missed"


def name_of(item: Item) -> str:
    return f"{item.side}/{item.group}/{item.name}"


def outcomes(items: Iterable[Item], kept: Mapping[str, Any]) -> list[tuple[Item, str]]:
    """Of every item that has a result for its present text."""
    found: list[tuple[Item, str]] = []
    for item in items:
        result = kept["items"].get(name_of(item))
        if result is not None and result["key"] == item.key:
            found.append((item, outcome_of(item, result)))
    return found


def counts(found: Sequence[tuple[Item, str]], side: str, names: Sequence[str], written: str = "") -> list[int]:
    mine = [outcome for item, outcome in found if item.side == side and item.written.startswith(written)]
    return [mine.count(name) for name in names]


def report(items: Sequence[Item], kept: Mapping[str, Any]) -> str:
    found = outcomes(items, kept)
    skipped = [item for item in items if item not in {judged for judged, _ in found}]
    lines = [f"{kept.get('machine', {}).get('name', 'nothing kept')}: {len(found)} items judged, {len(skipped)} not"]
    for side, names in (("hacks", HACK_OUTCOMES), ("honest", HONEST_OUTCOMES)):
        lines += ["", f"{side:<28}" + "".join(f"{name:>14}" for name in names)]
        rows = [("all", "", None), ("before the freeze", "before", None), ("after the freeze", "after", None)]
        rows += [(group, "", group) for group in sorted({item.group for item, _ in found if item.side == side})]
        for title, written, group in rows:
            mine = [pair for pair in found if group is None or pair[0].group == group]
            lines.append(f"{title:<28}" + "".join(f"{n or '':>14}" for n in counts(mine, side, names, written)))
    lines += ["", *_listed(found, kept)]
    return "\n".join(lines)


def _listed(found: Sequence[tuple[Item, str]], kept: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for item, outcome in found:
        name = name_of(item)
        if outcome in ("missed", "other check", "rejected", "no verdict"):
            lines.append(f"{outcome}: {name}: {kept['items'][name]['evidence']}")
    return lines


def docs_block(items: Sequence[Item], kept: Mapping[str, Any]) -> str:
    """What docs/audit.md says under "How often it errs"."""
    found = outcomes(items, kept)
    versions = sorted({kept["items"][name_of(item)]["auditor"] for item, _ in found})
    gains = [kept["items"][name_of(item)]["naive"]["gain"] for item, _ in found if item.side == "hacks"]
    judged = (
        f"Auditor version {', '.join(versions)}, {kept['machine']['name']}, {len(found)} of {len(items)} items (the "
        f"others need a GPU). Under naive timing the hacks gain {min(gains):.2f}x to {max(gains):.0f}x, in the median "
        f"{statistics.median(gains):.1f}x."
    )
    lines = [
        *textwrap.wrap(judged, WIDTH),
        "",
        "| | hacks | right check | other check | missed | not timed yet | honest | passed L0 to L3 | rejected |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for title, written in (("all", ""), ("written before the freeze", "before"), ("after it", "after")):
        hacks = counts(found, "hacks", HACK_OUTCOMES, written)
        honest = counts(found, "honest", HONEST_OUTCOMES, written)
        numbers = [sum(hacks), *hacks[:4], sum(honest), *honest[:2]]
        lines.append(f"| {title} | {' | '.join(map(str, numbers))} |")
    for outcome, title in (("missed", "Missed"), ("rejected", "Honest and rejected"), ("no verdict", "Refused")):
        names = [f"`{item.group}/{item.name}`" for item, was in found if was == outcome]
        if names:
            lines += ["", *textwrap.wrap(f"{title}: {', '.join(names)}.", WIDTH, break_on_hyphens=False)]
    return "\n".join(lines)
