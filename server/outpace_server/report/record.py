"""What a report is made of: a trial, its process pairs where they are at hand, and what its checks put in numbers."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from outpace_audit.codec import WrongField, decode
from outpace_audit.records import Timing, Verdict
from outpace_audit.samples import Samples
from outpace_optimizers.evidence import Evidence, mean_log_ratios, samples_of
from outpace_optimizers.records import Trial
from outpace_optimizers.stored_trial import diff_of

STATISTICS = {"q50": "50%", "q90": "90%", "q99": "99%", "q999": "99.9%", "max": "largest"}
"""Of the elements' errors, as the audit's error profiles name them."""


@dataclass(frozen=True, slots=True)
class TensorErrors:
    """Relative errors against truth of one output or gradient, by statistic."""

    workload: str
    path: str
    baseline: dict[str, float]
    candidate: dict[str, float]


@dataclass(frozen=True, slots=True)
class Record:
    trial: Trial
    evidence: Evidence | None = None

    @property
    def verdict(self) -> Verdict:
        return self.trial.verdict

    def samples(self, timing: Timing) -> list[Samples]:
        """Of each pair that counts; none where there is no evidence at hand."""
        return samples_of(self.evidence, timing) if self.evidence else []

    @property
    def timings(self) -> list[tuple[Timing, float | None]]:
        """What the acceptance rule was applied to, with what its interval's lower end had to exceed; then the rest."""
        verdict, timings = self.verdict, list(self.verdict.timings)
        workloads = {timing.workload for timing in timings}
        if len(workloads) > 1 and verdict.speedup is not None and verdict.interval is not None:
            log_ratios = tuple(mean_log_ratios(verdict.timings))
            mean = replace(
                timings[0], workload="all workloads", speedup=verdict.speedup, interval=verdict.interval,
                log_ratios=log_ratios,
            )  # fmt: skip
            timings.insert(0, mean)
        return [(timing, None if i else self._number("speedup", "needed")) for i, timing in enumerate(timings)]

    @property
    def errors(self) -> list[TensorErrors]:
        found: list[TensorErrors] = []
        for name in ("outputs-against-truth", "gradients-against-truth"):
            entries = self._number(name, "errors")
            if not isinstance(entries, list):
                continue
            for entry in entries:
                try:
                    found.append(decode(TensorErrors, entry))
                except WrongField:  # numbers are free in form: another auditor may have kept something else
                    continue
        return found

    @property
    def floors_s(self) -> dict[str, float]:
        """By workload, the time that the unavoidable bytes take at the memory's peak."""
        floors = self._number("physical-floor", "floors_s")
        pairs = floors.items() if isinstance(floors, dict) else ()
        return {str(name): value for name, value in pairs if isinstance(value, (int, float)) and value > 0}

    def _number(self, check: str, name: str) -> Any:
        return next((one.numbers.get(name) for one in self.verdict.checks if one.name == check), None)


def record_of(evidence: Evidence, path: Path) -> Record:
    stored = evidence.trial
    trial = Trial(
        id=stored.verdict.id,
        target=stored.target.name,
        idea=stored.idea,
        verdict=stored.verdict,
        diff=diff_of(stored.target, stored.idea),
        replay=f"outpace replay {shlex.quote(str(path))}",
        evidence=str(path),
        notes=stored.target.notes,
    )
    return Record(trial, evidence)
