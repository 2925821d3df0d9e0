"""Records back from JSON. (Records to JSON is dataclasses.asdict.) Unknown fields raise TypeError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outpace_audit.records import (
    ArgSpec,
    Captured,
    Check,
    Code,
    Idea,
    Law,
    Machine,
    Patch,
    Span,
    Timing,
    Verdict,
    Workload,
)


def code_from_json(message: Mapping[str, Any]) -> Code:
    captured = message["captured"]
    fields: dict[str, Any] = {**message, "captured": None if captured is None else _captured_from_json(captured)}
    return Code(**fields)


def _captured_from_json(message: Mapping[str, Any]) -> Captured:
    constructor = message["constructor"]
    fields: dict[str, Any] = {**message, "constructor": None if constructor is None else tuple(constructor)}
    return Captured(**fields)


def workload_from_json(message: Mapping[str, Any]) -> Workload:
    fields: dict[str, Any] = {**message, "args": tuple(_arg_from_json(arg) for arg in message["args"])}
    return Workload(**fields)


def _arg_from_json(message: Mapping[str, Any]) -> ArgSpec:
    law, shape, stride = message["law"], message["shape"], message["stride"]
    fields: dict[str, Any] = {
        **message,
        "shape": None if shape is None else tuple(shape),
        "law": None if law is None else Law(law["kind"], law["params"]),
        "stride": None if stride is None else tuple(stride),
    }
    return ArgSpec(**fields)


def patch_from_json(message: Mapping[str, Any]) -> Patch:
    fields: dict[str, Any] = {**message, "spans": tuple(Span(**span) for span in message["spans"])}
    return Patch(**fields)


def idea_from_json(message: Mapping[str, Any]) -> Idea:
    fields: dict[str, Any] = {**message, "patch": patch_from_json(message["patch"])}
    return Idea(**fields)


def check_from_json(message: Mapping[str, Any]) -> Check:
    return Check(**message)


def verdict_from_json(message: Mapping[str, Any]) -> Verdict:
    interval = message["interval"]
    fields: dict[str, Any] = {
        **message,
        "interval": None if interval is None else (interval[0], interval[1]),
        "timings": tuple(_timing_from_json(timing) for timing in message["timings"]),
        "checks": tuple(check_from_json(check) for check in message["checks"]),
        "machine": Machine(**message["machine"]),
        "protections": tuple(message["protections"]),
    }
    return Verdict(**fields)


def _timing_from_json(message: Mapping[str, Any]) -> Timing:
    low, high = message["interval"]
    fields: dict[str, Any] = {**message, "interval": (low, high), "log_ratios": tuple(message["log_ratios"])}
    return Timing(**fields)
