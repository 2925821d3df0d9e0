"""The run that a model's search belongs to, as the search sees it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from outpace_audit.records import Idea
from outpace_optimizers.records import Trial


@dataclass(frozen=True, slots=True)
class Known:
    """What a question could tell: trials, and the idea that was measured when it was asked."""

    question: str
    tried: Sequence[Trial]
    measuring: Idea | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a search does with the run that it belongs to."""

    tried: Callable[[], Sequence[Trial]]
    """All trials of the run so far, those of the rules among them."""
    judge: Callable[[Idea], Trial | None]
    """None where no verdict could be reached."""
    stopped: Callable[[], str]
    """Why the run is over, or nothing."""
    tell: Callable[[str], None]
    left_s: Callable[[], float] = lambda: math.inf
    """So long a reply is waited for at most."""
    record: Callable[[Known], None] = lambda known: None
    """Before a question is asked."""
