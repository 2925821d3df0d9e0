"""The JSON document of `--json`. Its keys are an interface: add, never rename."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from outpace_audit.codec import plain
from outpace_audit.records import Machine
from outpace_optimizers.records import Report, Trial
from outpace_server.version import VERSION


def trial_document(trial: Trial) -> dict[str, Any]:
    """`class` is null where no numerics were reached, `speedup` and `interval` where no time was taken;
    `known_since` is in seconds since 1970, null for a verdict of this run; `step` is computed from a profile, null
    where none holds."""
    verdict = trial.verdict
    return {
        "id": trial.id,
        "target": trial.target,
        "change": trial.idea.title,
        "rule": trial.idea.rule,
        "proposer": trial.idea.proposer,
        "rationale": trial.idea.rationale,
        "class": verdict.numerics,
        "speedup": verdict.speedup,
        "interval": verdict.interval,
        "step": trial.step,
        "level": verdict.level,
        "accepted": verdict.accepted,
        "reason": verdict.reason,
        "replay": trial.replay,
        "evidence": trial.evidence or None,
        "known_since": trial.known_since,
        "trains": verdict.trains,
        "truth": verdict.truth,
        "protections": verdict.protections,
        "auditor": verdict.auditor,
        "seeds": verdict.seeds,
        "timings": verdict.timings,
        "checks": verdict.checks,
        "diff": trial.diff,
    }


def report_document(report: Report) -> dict[str, Any]:
    notes = [*report.target.notes, *report.notes]
    document = _document(report.machine, report.target.name, report.stop, list(dict.fromkeys(notes)), report.trials)
    return document if report.spend is None else document | {"model": report.spend}


def single_document(trial: Trial, heading: str) -> dict[str, Any]:
    """The same shape for `audit` and `replay`: one trial, `stop` says which of the two it was."""
    return _document(trial.verdict.machine, trial.target, heading, list(trial.notes), (trial,))


def error_document(message: str) -> dict[str, Any]:
    return {"error": {"message": message}}


def _document(machine: Machine, target: str, stop: str, notes: list[str], trials: Sequence[Trial]) -> dict[str, Any]:
    return {
        "outpace": VERSION,
        "machine": machine,
        "target": target,
        "stop": stop,
        "notes": notes,
        "trials": [trial_document(trial) for trial in trials],
    }


def to_json(document: object) -> str:
    """JSON has no NaN and no infinity: they become the strings `nan`, `inf` and `-inf`."""
    return json.dumps(plain(document), indent=2, allow_nan=False, ensure_ascii=True)
