"""One JSON document on stdout, and nothing else: whatever anything prints meanwhile goes to stderr."""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO

from outpace_optimizers.records import Event, Report, Trial
from outpace_server.output.document import error_document, report_document, single_document, to_json


class JsonView:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._document: dict[str, Any] = {}
        self._real_stdout = _divert(stream)
        sys.stdout = sys.stderr

    def on_event(self, event: Event) -> None:
        """Programs read the document; progress would have nowhere to go."""

    def show_report(self, report: Report) -> None:
        self._document = report_document(report)

    def show_trial(self, trial: Trial, heading: str) -> None:
        self._document = single_document(trial, heading)

    def show_document(self, document: dict[str, Any]) -> None:
        self._document = document

    def say(self, text: str) -> None:
        self._document.setdefault("notes", []).append(text)

    def close(self, error: str | None = None) -> None:
        """Print the document; with an error it keeps whatever was reached."""
        self.abandon()
        document = self._document | (error_document(error) if error else {})
        self._stream.write(to_json(document) + "\n")
        self._stream.flush()

    def abandon(self) -> None:
        sys.stdout.flush()
        sys.stdout = self._stream
        if self._real_stdout is not None:
            os.dup2(self._real_stdout, self._stream.fileno())
            os.close(self._real_stdout)
            self._real_stdout = None


def _divert(stream: TextIO) -> int | None:
    """Point descriptor 1 at stderr, so that child processes cannot write into the document either."""
    try:
        number = stream.fileno()
        sys.stderr.fileno()
    except (io.UnsupportedOperation, ValueError):
        return None
    if number != 1:
        return None
    stream.flush()
    kept = os.dup(number)
    os.dup2(sys.stderr.fileno(), number)
    return kept
