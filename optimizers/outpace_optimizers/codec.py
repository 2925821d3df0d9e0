"""The loop's events as JSON, and back. Records need no code of their own: `asdict`, and `decode` of audit's codec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from outpace_audit.codec import decode
from outpace_optimizers.records import CheckDone, Event, StageEvent, TrialFinished, TrialStarted, Trouble, TurnTaken

KINDS: tuple[type[Event], ...] = (StageEvent, TrialStarted, CheckDone, TrialFinished, TurnTaken, Trouble)
EVENTS = {kind.__name__: kind for kind in KINDS}


def event_to_json(event: Event) -> dict[str, Any]:
    return {"kind": type(event).__name__, **asdict(event)}


def event_from_json(message: Mapping[str, Any]) -> Event:
    """Raises KeyError or ValueError for what another version wrote."""
    fields = dict(message)
    return decode(EVENTS[fields.pop("kind")], fields)
