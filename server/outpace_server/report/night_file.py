"""`.outpace/overnight.html`: the page of the newest night, whole at any instant."""

from __future__ import annotations

import contextlib
import time

from outpace_optimizers.model.lessons import Lessons
from outpace_optimizers.overnight.records import Night
from outpace_optimizers.workspace import Workspace, write_atomically
from outpace_server.report.night_page import night_page

FILE = "overnight.html"
SELDOM_S = 5.0
"""Between two writings: what is done now changes several times a second."""


class NightFile:
    def __init__(self, workspace: Workspace) -> None:
        self._state = workspace.state
        self.path = workspace.state / FILE
        self._written = float("-inf")

    @property
    def due(self) -> bool:
        return time.monotonic() - self._written >= SELDOM_S

    def write(self, night: Night, *, running: bool) -> None:
        """A page that cannot be written while a night goes on costs it nothing."""
        self._written = time.monotonic()
        with contextlib.suppress(*([OSError] if running else [])):
            write_atomically(self.path, night_page(night, Lessons(self._state), running=running))
