"""What is to be recorded, and where it is written: what both ends of a profiled run must agree on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

TRACE = "trace.pt.trace.json.gz"
RUN = "run.json"
CLAIM = "claim"
IDLE = ".torch"
"""Ending of the empty file of a process that imported torch."""
ALREADY = "a profiler is running already"
"""One of the script's own: to start another would end it."""
SETTLING = 2
"""Steps under the profiler that are thrown away: its first ones are slower."""


@dataclass(frozen=True)
class Plan:
    """Steps of the script: `warmup` are left alone, `timed` only timed, `steps` recorded."""

    warmup: int = 5
    timed: int = 5
    steps: int = 3
    by: str = "auto"
    """`optimizer`, `call` or `auto`: what ends a step."""
    stop: bool = True
    """End the script after the window."""

    @classmethod
    def read(cls, text: str) -> Plan:
        return cls(**json.loads(text)) if text else cls()

    def write(self) -> str:
        return json.dumps(asdict(self))

    @property
    def needed(self) -> int:
        """Steps that the script has to make."""
        return self.warmup + self.timed + SETTLING + self.steps
