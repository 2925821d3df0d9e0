"""A night in words, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

from outpace_optimizers.overnight.records import Night, TargetProgress, Tried
from outpace_optimizers.records import MODEL_RULE, Asked, Turn
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
    new = sum(night.is_new(dot.tried) for dot in night.dots)
    lines.append(("judging", f"{night.device_s:.0f} {device_seconds(night)} for {new} trials"))
    if not night.wins:
        return [*lines, ("per verified win", "none was found in this night")]
    per = f"{night.device_s / night.wins:.0f} {device_seconds(night)}"
    if night.model:
        per += f" and ${night.dollars / night.wins:.4f}"
    return [*lines, ("per verified win", f"{per}, over {night.wins} accepted change{'s' * (night.wins != 1)}")]


def gain_at_most(target: TargetProgress) -> str:
    """`12% of a step`."""
    gain = target.place.gain
    return "not known" if gain is None else f"{gain:.0%} of a step"


def failures(night: Night) -> list[tuple[str, int, str]]:
    """Checks that ideas failed, the most frequent first, with how often and what was said the last time."""
    rejected = [dot.tried for dot in night.dots if not dot.tried.accepted]
    names = Counter(tried.failed or "no verdict" for tried in rejected)
    last = {tried.failed or "no verdict": tried for tried in rejected}
    return [(name, count, f"{last[name].title}: {last[name].reason}") for name, count in names.most_common()]


@dataclass(frozen=True, slots=True)
class Account:
    """What one proposer has cost and brought in this night: all its turns, those that came to nothing among them."""

    proposer: str
    turns: int
    judged: int
    won: int
    seconds: float
    """At work on the device, first looks included."""
    asked: Asked

    @property
    def seconds_per_win(self) -> float | None:
        return self.seconds / self.won if self.won else None

    @property
    def dollars_per_win(self) -> float | None:
        return self.asked.dollars / self.won if self.won else None


def accounts(night: Night) -> list[Account]:
    """The one with most wins for its seconds first. What was paid for replies in turns that were cut off (a kill) is
    the model's too."""
    mine: dict[str, list[Turn]] = {}
    for turn in night.taken:
        mine.setdefault(turn.proposer, []).append(turn)
    found = [_account(name, turns, night) for name, turns in mine.items()]
    return sorted(found, key=lambda one: (-one.won / max(one.seconds, 1.0), one.seconds))


def _account(name: str, turns: Sequence[Turn], night: Night) -> Account:
    asked = Asked(*(sum(parts) for parts in zip(*(astuple(turn.asked) for turn in turns), strict=True)))
    if name == MODEL_RULE:
        asked = Asked(asked.seconds, max(asked.tokens, night.tokens), max(asked.dollars, night.dollars))
    return Account(
        name, len(turns), sum(turn.judged for turn in turns), sum(turn.won for turn in turns),
        sum(turn.seconds for turn in turns), asked,
    )  # fmt: skip


def account_words(one: Account, unit: str) -> str:
    """`3 turns, 3 trials, 1 accepted; 90 GPU seconds (90 per win), $0.0200 ($0.0200 per win)`."""
    parts = [f"{one.turns} turns, {one.judged} trials, {one.won} accepted; {one.seconds:.0f} {unit}"]
    parts[0] += f" ({one.seconds_per_win:.0f} per win)" if one.seconds_per_win is not None else ""
    if one.asked.tokens:
        money = f"{one.asked.tokens} tokens, ${one.asked.dollars:.4f}"
        parts.append(money + (f" (${one.dollars_per_win:.4f} per win)" if one.dollars_per_win is not None else ""))
    return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Share:
    """What the trials of one rule, combination or model have cost and brought in this night."""

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
    for one in accounts(night):
        yield one_line(f"by {one.proposer}: {account_words(one, device_seconds(night))}")
    for target in night.targets:
        best = target.best
        tried = f"{len(target.dots)} tried"
        found = f"best: {best.title}, {gain_of(best)} ({best.verdict})" if best else "no audited speedup"
        given = f"could gain: {gain_at_most(target)}; given {hours(target.given_s)}"
        yield one_line(f"{target.place.label}: {tried}; {found}; {given}; {target.stop or 'not done yet'}")
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
        "device_s": night.device_s,
        "proposers": [
            asdict(one) | {"seconds_per_win": one.seconds_per_win, "dollars_per_win": one.dollars_per_win}
            for one in accounts(night)
        ],
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
                "gain": target.place.gain,
                "given_s": target.given_s,
                "stop": target.stop,
                "done": target.done,
                "best": target.best.verdict if target.best else None,
                "trials": [dot.tried for dot in target.dots],
            }
            for target in night.targets
        ],
    }
