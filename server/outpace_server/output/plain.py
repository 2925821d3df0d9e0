"""Plain lines without control characters: pipes, log files, dumb terminals."""

from __future__ import annotations

import sys
from typing import TextIO

from outpace_optimizers.records import Event, Report, Trial, TrialFinished
from outpace_server.output import words

ASCII = str.maketrans({"✓": "ok", "✗": "--", "×": "x", "µ": "u"})


class PlainView:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._ascii = not _can_encode(stream, "✓✗×µ")

    def on_event(self, event: Event) -> None:
        line = words.trial_line(event.trial) if isinstance(event, TrialFinished) else words.event_line(event)
        if line:
            self.say(line)

    def show_report(self, report: Report) -> None:
        for note in dict.fromkeys((*report.target.notes, *report.notes)):
            self.say(f"note: {note}")
        best = report.best
        if best is not None:
            self._show_best(best)
        self.say("")
        if report.spend is not None:
            self.say(words.spend_words(report.spend))
        self.say(words.summary(report))

    def show_trial(self, trial: Trial, heading: str) -> None:
        self.say(f"{heading}: {words.trial_line(trial)}")
        for line in words.checks_failed(trial):
            self.say(f"  failed: {line}")
        for name, text in words.evidence(trial):
            self.say(f"  {name}: {text}")

    def say(self, text: str) -> None:
        clean = words.printable(text)
        self._stream.write((clean.translate(ASCII) if self._ascii else clean) + "\n")
        self._stream.flush()

    def close(self, error: str | None = None) -> None:
        if error:
            sys.stderr.write(f"error: {error}\n")

    def abandon(self) -> None:
        """Every line was complete when it was written."""

    def _show_best(self, best: Trial) -> None:
        self.say("")
        self.say(f"best: {words.accepted_line(best)}")
        for name, text in words.evidence(best):
            self.say(f"  {name}: {text}")
        self.say("")
        self.say(best.diff.rstrip("\n"))


def _can_encode(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
