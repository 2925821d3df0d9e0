"""A night as a page of HTML that needs nothing else: what was found, what it has cost, what failed, what was learnt.

It does not load itself again: a page that moves under a screen reader or a keyboard is of no use to either.
"""

from __future__ import annotations

import time
from pathlib import Path

from outpace_optimizers.model.lessons import Dropped, Lesson, Lessons
from outpace_optimizers.overnight.records import Dot, Night, TargetProgress
from outpace_server.output.night import (
    Account,
    Share,
    accounts,
    cost_words,
    device_seconds,
    failures,
    gain_at_most,
    gain_of,
    hours,
    shares,
    state_of,
)
from outpace_server.output.words import machine_words, one_line
from outpace_server.report.html import document_of, section
from outpace_server.report.markup import Child, Markup, table, tag
from outpace_server.report.night_plot import night_plot


def night_page(night: Night, lessons: Lessons, *, running: bool) -> str:
    return document_of(title(night), body(night, lessons, running=running))


def title(night: Night) -> str:
    return f"a night on {Path(night.folder).name}"


def body(night: Night, lessons: Lessons, *, running: bool) -> Markup:
    """To be shown with STYLE."""
    return tag(
        "main", _head(night, running=running), _bests(night), _curves(night), _shares(night), _failures(night),
        _lessons(night, lessons), _notes(night), [_trials(night, target) for target in night.targets],
    )  # fmt: skip


def _head(night: Night, *, running: bool) -> Markup:
    facts = {
        "folder": night.folder,
        "begun": _clock(night.begun),
        "as of": f"{_clock(time.time())}; load the page again for news" if running else _clock(time.time()),
        **dict(cost_words(night)),
    }
    if night.machine is not None:
        facts["hardware"] = machine_words(night.machine)
    items = [item for name, text in facts.items() for item in (tag("dt", name), tag("dd", one_line(text)))]
    said = tag(
        "p", tag("b", "Now" if running else "Ended"), one_line(state_of(night, running=running)), class_="verdict"
    )
    return tag("header", tag("h1", f"A night on {one_line(Path(night.folder).name)}"), said, tag("dl", items))


def _bests(night: Night) -> Markup:
    rows: list[list[Child]] = []
    for target in night.targets:
        best = target.best
        won: list[Child] = (
            [
                tag("b", gain_of(best), class_="good"),
                f"{best.title} ({best.rule})",
                tag("code", f"outpace apply {best.verdict}"),
            ]
            if best
            else ["none", "", ""]
        )
        state = target.stop or "not done yet"
        rows.append([
            target.place.label, *won, str(len(target.dots)), gain_at_most(target), hours(target.given_s),
            state if target.done else f"{state} (not done)",
        ])  # fmt: skip
    if not rows:
        return section("Best so far", tag("p", "No target has had its turn yet."))
    head = ["target", "speedup", "change", "to apply", "trials", "could gain", "given", "why it was left"]
    key = "Each turn is given a share of the time that is left, as large as the target's share of what could be gained "
    key += "(its share of a profiled step, less what its roofline says that it has to take). A target of which that is "
    key += "not known counts as the mean of the others."
    return section(
        "Best so far", table("Of each target, against its untouched original", head, rows), tag("p", key, class_="key")
    )


def _curves(night: Night) -> Markup:
    shown = [target for target in night.targets if target.dots]
    if not shown:
        return Markup()
    key = "A filled dot was accepted, a ring was timed and rejected, a cross failed before it was timed; the line "
    key += "through a dot is its interval. The steps are the best so far, over the time at work."
    return section("Over time", tag("p", key, class_="key"), [night_plot(target, night.spent_s) for target in shown])


def _shares(night: Night) -> Markup:
    rows: list[list[Child]] = [
        [one.proposer, str(one.trials), str(one.wins), f"{one.judged_s:.0f}", _per_win(one)] for one in shares(night)
    ]
    unit = device_seconds(night)
    tables: list[Child] = []
    if turns := [_account(one) for one in accounts(night)]:
        caption = "By proposer: all of its turns, with first looks and replies that led to nothing"
        head = ["by", "turns", "trials", "accepted", unit, f"{unit} per win", "dollars", "dollars per win"]
        tables.append(table(caption, head, turns))
    if rows:
        caption = "By rule: the audits of its ideas, the one with most wins for its seconds first"
        tables.append(table(caption, ["by", "trials", "accepted", unit, f"{unit} per win"], rows))
    return section("Who found it", *tables) if tables else Markup()


def _account(one: Account) -> list[Child]:
    per = f"{one.seconds_per_win:.0f}" if one.seconds_per_win is not None else "none"
    paid = f"${one.asked.dollars:.4f}" if one.asked.tokens else ""
    per_dollar = f"${one.dollars_per_win:.4f}" if one.asked.tokens and one.dollars_per_win is not None else ""
    counts: list[Child] = [str(one.turns), str(one.judged), str(one.won)]
    return [one.proposer, *counts, f"{one.seconds:.0f}", per, paid, per_dollar]


def _per_win(one: Share) -> str:
    return f"{one.judged_s / one.wins:.0f}" if one.wins else "none"


def _failures(night: Night) -> Markup:
    found = failures(night)
    if not found:
        return Markup()
    rows: list[list[Child]] = [[tag("code", name), str(count), said] for name, count, said in found]
    return section(
        "Why ideas failed", table("By check, the most frequent first", ["check", "ideas", "the last one"], rows)
    )


def _lessons(night: Night, lessons: Lessons) -> Markup:
    tried = {dot.tried.verdict for dot in night.dots}
    mine = [one for one in lessons.all if tried & {*one.verdicts}]
    gone = [one for one in lessons.dropped if one.contradicted_by in tried]
    if not mine and not gone:
        return Markup()
    rows = [_lesson(one, "" if one.holds else "seen once") for one in reversed(mine)]
    rows += [_dropped(one) for one in reversed(gone)]
    head = ["approach", "outcome", "detail", "rests on", "state"]
    return section(
        "What was learnt", table("From this night's trials; verdicts can be replayed by their id", head, rows)
    )


def _lesson(one: Lesson, state: str) -> list[Child]:
    return [one.approach, one.outcome, one.detail, tag("code", ", ".join(one.verdicts)), state or "holds"]


def _dropped(one: Dropped) -> list[Child]:
    return _lesson(one.lesson, f"dropped: contradicted by {one.contradicted_by}")


def _notes(night: Night) -> Markup:
    if not night.troubles:
        return Markup()
    return section("Notes", tag("ul", [tag("li", one_line(trouble)) for trouble in night.troubles]))


def _trials(night: Night, target: TargetProgress) -> Markup:
    if not target.dots:
        return Markup()
    head = ["after", "result", "change", "by", "speedup", "class", "level", "why", "judged in", "verdict"]
    rows = [_row(night, dot) for dot in target.dots]
    name = f"Trials on {target.place.label}"
    inner = tag("details", tag("summary", f"All {len(rows)} trials"), table(name, head, rows))
    return section(name, inner)


def _row(night: Night, dot: Dot) -> list[Child]:
    tried = dot.tried
    mark = tag("b", "✓ accepted", class_="good") if tried.accepted else tag("b", "✗ rejected", class_="bad")
    judged = f"{tried.judged_s:.0f} s" if night.is_new(tried) else "known before"
    by = tried.rule if tried.proposer == "rules" else tried.proposer
    why = "" if tried.accepted else f"{tried.failed}: {tried.reason}" if tried.failed else tried.reason
    return [
        hours(dot.at_s), mark, tried.title, by, gain_of(tried), tried.numerics or "", tried.level or "", one_line(why),
        judged, tag("code", tried.verdict),
    ]  # fmt: skip


def _clock(seconds_since_1970: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds_since_1970))
