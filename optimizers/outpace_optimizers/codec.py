"""The loop's records and events as JSON, and back.

What another version wrote raises KeyError, TypeError or ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from outpace_audit.codec import check_from_json, code_from_json, idea_from_json, verdict_from_json, workload_from_json
from outpace_audit.records import Machine
from outpace_optimizers.records import (
    CheckDone,
    Event,
    OptimizeRequest,
    Report,
    StageEvent,
    Target,
    Trial,
    TrialFinished,
    TrialStarted,
)


def request_from_json(message: Mapping[str, Any]) -> OptimizeRequest:
    fields: dict[str, Any] = {**message, "skip": tuple(message["skip"])}
    return OptimizeRequest(**fields)


def target_from_json(message: Mapping[str, Any]) -> Target:
    workloads = tuple(workload_from_json(workload) for workload in message["workloads"])
    return Target(code_from_json(message["code"]), workloads, tuple(message["notes"]), message["inference"])


def trial_from_json(message: Mapping[str, Any]) -> Trial:
    fields: dict[str, Any] = {
        **message,
        "idea": idea_from_json(message["idea"]),
        "verdict": verdict_from_json(message["verdict"]),
    }
    return Trial(**fields)


def report_from_json(message: Mapping[str, Any]) -> Report:
    return Report(
        target=target_from_json(message["target"]),
        machine=Machine(**message["machine"]),
        trials=tuple(trial_from_json(trial) for trial in message["trials"]),
        stop=message["stop"],
        notes=tuple(message["notes"]),
    )


def event_to_json(event: Event) -> dict[str, Any]:
    return {"kind": type(event).__name__, **asdict(event)}


def event_from_json(message: Mapping[str, Any]) -> Event:
    match message["kind"]:
        case "StageEvent":
            return StageEvent(message["text"])
        case "TrialStarted":
            return TrialStarted(message["index"], message["total"], message["title"])
        case "CheckDone":
            return CheckDone(check_from_json(message["check"]))
        case "TrialFinished":
            return TrialFinished(trial_from_json(message["trial"]))
        case other:
            raise ValueError(f"no event is called {other!r}")
