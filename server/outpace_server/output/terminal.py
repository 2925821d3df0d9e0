"""A live terminal: one status line, trials as they end, then a table, the diff and the evidence."""

from __future__ import annotations

import sys
from typing import TextIO

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from outpace_optimizers.records import (
    CheckDone,
    Event,
    Report,
    StageEvent,
    Trial,
    TrialFinished,
    TrialStarted,
)
from outpace_server.output import words


class TerminalView:
    """Text from user code is never parsed as markup. NO_COLOR is rich's own business."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, emoji=False)
        self._status: Status | None = None
        self._doing = ""

    def on_event(self, event: Event) -> None:
        if isinstance(event, TrialFinished):
            self._print(_trial_text(event.trial))
        elif isinstance(event, (StageEvent, TrialStarted)):
            self._doing = words.event_line(event) or ""
            if isinstance(event, StageEvent) and event.waiting:
                self._print(Text(self._doing, style="yellow"))
            self._show_status(self._doing)
        elif isinstance(event, CheckDone):
            self._show_status(f"{self._doing}  {event.check.level} {event.check.name}")

    def show_report(self, report: Report) -> None:
        self._stop_status()
        for note in dict.fromkeys((*report.target.notes, *report.notes)):
            self._print(Text(f"note: {words.one_line(note)}", style="yellow"))
        if report.trials:
            self._console.print()
            self._console.print(_table(report.trials))
        best = report.best
        if best is not None:
            self._console.print()
            self._print(_diff_text(best.diff))
            self._print_evidence(best)
        self._console.print()
        if report.spend is not None:
            self._print(Text(words.spend_words(report.spend)))
        self._print(Text(words.summary(report), style="bold"))

    def show_trial(self, trial: Trial, heading: str) -> None:
        self._stop_status()
        self._print(Text(f"{heading}: ", style="bold").append_text(_trial_text(trial)))
        for line in words.checks_failed(trial):
            self._print(Text(f"  failed: {line}", style="red"))
        self._print_evidence(trial)

    def say(self, text: str) -> None:
        self._print(Text(words.printable(text)))

    def close(self, error: str | None = None) -> None:
        self._stop_status()
        if error:
            sys.stderr.write(f"error: {error}\n")

    def abandon(self) -> None:
        self._stop_status()

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)

    def _print_evidence(self, trial: Trial) -> None:
        for name, text in words.evidence(trial):
            self._print(Text(f"{name:>12}  ", style="cyan").append(text, style="default"))

    def _show_status(self, line: str) -> None:
        text = Text(line, no_wrap=True, overflow="ellipsis")
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)

    def _stop_status(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def _trial_text(trial: Trial) -> Text:
    return Text(words.trial_line(trial), style="green" if trial.verdict.accepted else "dim")


def _table(trials: tuple[Trial, ...]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("change", "rule", "speedup", "class", "level", "result"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("speedup", "class", "level"))
    for trial in trials:
        verdict = trial.verdict
        failed = verdict.failed
        result = "accepted" if verdict.accepted else (failed.name if failed else words.one_line(verdict.reason))
        cells = (
            words.one_line(trial.idea.title), trial.idea.rule, words.gain(verdict), verdict.numerics or "",
            verdict.level or "", result,
        )  # fmt: skip
        table.add_row(*(Text(cell) for cell in cells), style="" if verdict.accepted else "dim")
    return table


def _diff_text(diff: str) -> Text:
    text = Text()
    for line in words.printable(diff).rstrip("\n").split("\n"):
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "default")
        text.append(line + "\n", style="bold" if line.startswith(("+++", "---")) else style)
    return text
