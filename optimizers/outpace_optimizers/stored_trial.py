"""One audited idea as the ledger keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outpace_audit.codec import code_from_json, idea_from_json, verdict_from_json, workload_from_json
from outpace_audit.errors import TargetError
from outpace_audit.records import Idea, Verdict
from outpace_optimizers.ledger import Ledger
from outpace_optimizers.records import Target


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """Everything a replay needs."""

    target: Target
    idea: Idea
    verdict: Verdict
    inference: bool
    policy: str
    confirmations_before: int
    whole_file: bool
    python: str
    """The interpreter whose torch was measured."""
    unsandboxed: bool


def find_trial(ledger: Ledger, verdict: str) -> StoredTrial:
    """The trial of a verdict's id. Raises TargetError where the ledger has none, or one of another version."""
    found = ledger.find(verdict)
    if found is None:
        raise TargetError(f"no verdict {verdict!r} in {ledger.path}: name an id that optimize or audit has printed")
    try:
        return trial_from_json(found.body)
    except (ValueError, KeyError, TypeError) as error:
        raise TargetError(
            f"verdict {verdict} is of another version of outpace ({error}); run optimize again"
        ) from error


def trial_from_json(message: Mapping[str, Any]) -> StoredTrial:
    """Back from `dataclasses.asdict`. Raises KeyError, TypeError or ValueError for what another version wrote."""
    target = message["target"]
    workloads = tuple(workload_from_json(workload) for workload in target["workloads"])
    fields: dict[str, Any] = {
        **message,
        "target": Target(code_from_json(target["code"]), workloads, tuple(target["notes"])),
        "idea": idea_from_json(message["idea"]),
        "verdict": verdict_from_json(message["verdict"]),
    }
    return StoredTrial(**fields)
