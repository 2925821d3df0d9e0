"""A night in words, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from outpace_optimizers.overnight.records import Night, Tried
from outpace_server.output.words import one_line, ratio, span
from outpace_server.version import VERSION


def gain_of(tried: Tried) -> str:
    """A number never goes without its interval."""
    if tried.speedup is None or tried.interval is None:
        return ""
    return f"{ratio(tried.speedup)} {span(tried.interval)}"


def hours(seconds: float) -> str:
    """`7 h 05 min`, `12 min`, `40 s`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def device_seconds(night: Night) -> str:
    """What judging took, in the unit of the machine that it kept busy."""
    return "GPU seconds" if night.machine is not None and night.machine.device == "cuda" else "seconds of judging"


def cost_words(night: Night) -> list[tuple[str, str]]:
    """Spend, and what a verified win has cost: both budgets, never added up."""
    lines = [("time", f"{hours(night.spent_s)} of {hours(night.budget_s)} spent at work")]
    if night.model:
        lines.append(("model", f"{night.model}: {night.calls} replies, {night.tokens} tokens, ${night.dollars:.4f}"))
    lines.append(("judging", f"{night.judged_s:.0f} {device_seconds(night)} for {len(night.dots)} trials"))
    if not night.wins:
        return [*lines, ("per verified win", "none was found in this night")]
    per = f"{night.judged_s / night.wins:.0f} {device_seconds(night)}"
    if night.model:
        per += f" and ${night.dollars / night.wins:.4f}"
    return [*lines, ("per verified win", f"{per}, over {night.wins} accepted change{'s' * (night.wins != 1)}")]


def failures(night: Night) -> list[tuple[str, int, str]]:
    """Checks that ideas failed, the most frequent first, with how often and what was said the last time."""
    rejected = [dot.tried for dot in night.dots if not dot.tried.accepted]
    names = Counter(tried.failed or "no verdict" for tried in rejected)
    last = {tried.failed or "no verdict": tried for tried in rejected}
    return [(name, count, f"{last[name].title}: {last[name].reason}") for name, count in names.most_common()]


@dataclass(frozen=True, slots=True)
class Share:
    """What one proposer (a rule, a combination, a model) has cost and brought in this night."""

    proposer: str
    trials: int
    wins: int
    judged_s: float


def shares(night: Night) -> list[Share]:
    """The one with most wins for its seconds first."""
    mine: dict[str, list[Tried]] = {}
    for tried in (dot.tried for dot in night.dots if night.is_new(dot.tried)):
        name = tried.rule if tried.proposer == "rules" or "+" in tried.rule else tried.proposer
        mine.setdefault(name, []).append(tried)
    found = [
        Share(name, len(all_), sum(tried.accepted for tried in all_), sum(tried.judged_s for tried in all_))
        for name, all_ in mine.items()
    ]
    return sorted(found, key=lambda one: (-one.wins / max(one.judged_s, 1.0), one.judged_s))


def state_of(night: Night, *, running: bool) -> str:
    return f"under way: {night.now or 'between two targets'}" if running else f"stopped: {night.stop}"


def lines_of(night: Night, *, running: bool) -> Iterator[str]:
    yield one_line(state_of(night, running=running))
    for name, text in cost_words(night):
        yield one_line(f"{name}: {text}")
    for target in night.targets:
        best = target.best
        tried = f"{len(target.dots)} tried"
        found = f"best: {best.title}, {gain_of(best)} ({best.verdict})" if best else "no audited speedup"
        yield one_line(f"{target.place.label}: {tried}; {found}; {target.stop or 'not done yet'}")
    for name, count, said in failures(night):
        yield one_line(f"failed {name}: {count}, the last one {said}")
    for trouble in night.troubles:
        yield one_line(f"note: {trouble}")
    if any(target.best for target in night.targets):
        yield "outpace apply    writes the best change of each target; outpace apply ID one of them"


def night_document(night: Night, page: str) -> dict[str, Any]:
    """Its keys are an interface: add, never rename."""
    return {
        "outpace": VERSION,
        "night": night.name,
        "folder": night.folder,
        "stop": night.stop,
        "final": night.final,
        "budget_s": night.budget_s,
        "spent_s": night.spent_s,
        "judged_s": night.judged_s,
        "model": {"name": night.model, "calls": night.calls, "tokens": night.tokens, "dollars": night.dollars},
        "wins": night.wins,
        "machine": night.machine,
        "page": page,
        "notes": night.troubles,
        "targets": [
            {
                "target": target.place.name,
                "path": target.place.path,
                "turns": target.turns,
                "stop": target.stop,
                "done": target.done,
                "best": target.best.verdict if target.best else None,
                "trials": [dot.tried for dot in target.dots],
            }
            for target in night.targets
        ],
    }
