"""The view that a run is shown in, by what stands at the other end."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator
from typing import Protocol

from outpace_optimizers.records import Event, Report, Trial
from outpace_server.output.json_view import JsonView
from outpace_server.output.plain import PlainView


class View(Protocol):
    """Shows one run. Nothing is shown after `close` (an error given to it is the run's) or `abandon`."""

    def on_event(self, event: Event) -> None: ...

    def show_report(self, report: Report) -> None: ...

    def show_trial(self, trial: Trial, heading: str) -> None: ...

    def say(self, text: str) -> None: ...

    def close(self, error: str | None = None) -> None: ...

    def abandon(self) -> None: ...


@contextlib.contextmanager
def abandoned_on_error(view: View) -> Generator[None]:
    """Give the terminal and stdout back before an error or an interrupt is reported."""
    try:
        yield
    except BaseException:
        view.abandon()
        raise


def choose_view(as_json: bool) -> View:
    """A live terminal only where there is one that can move its cursor (not in a pipe, not TERM=dumb)."""
    if as_json:
        return JsonView(sys.stdout)
    if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        from outpace_server.output.terminal import TerminalView

        return TerminalView(sys.stdout)
    return PlainView(sys.stdout)


__all__ = ["View", "abandoned_on_error", "choose_view"]
