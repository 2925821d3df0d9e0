"""Evidence: one JSON file per verdict that can be read, checked and replayed anywhere. Its fields: docs/evidence.md."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from outpace_audit.codec import WrongField, decode, plain
from outpace_audit.errors import EvidenceError
from outpace_audit.records import Seeds, Timing
from outpace_audit.samples import ProcessPair, Samples
from outpace_audit.seeds import problem_with
from outpace_audit.stats import estimate
from outpace_optimizers.source import base_hash
from outpace_optimizers.stored_trial import StoredTrial
from outpace_optimizers.workspace import EVIDENCE, write_atomically

FORMAT = "outpace-evidence"
VERSION = 1
"""Raised whenever a field changes its meaning or goes. New fields with a default need no new version."""

AGREEMENT = 1e-9
"""Relative: what is computed again from the samples differs by the last bits of another machine's logarithm."""


@dataclass(frozen=True, slots=True)
class Project:
    """The project that was measured in: the hash of each file that the target's file reaches, by its path from
    `root`."""

    root: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Times in seconds since 1970. `sha256` is of the sources in `trial`."""

    written_at: float
    committed_at: float
    """When the commitment to the seeds was published: before any of them was used on the candidate."""
    trial: StoredTrial
    sha256: dict[str, str]
    project: Project
    target_seeds: Seeds
    """Of what was learned of the baseline, before there was a candidate."""
    pairs: tuple[ProcessPair, ...]
    format: str = FORMAT
    version: int = VERSION


@dataclass(slots=True)
class Recorder:
    """Hears an audit. `committed` is called with the commitment before any seed is used."""

    committed: Callable[[str], None]
    hear_rest: Callable[[str, Any], None]
    committed_at: float = 0.0
    pairs: list[ProcessPair] = field(default_factory=list[ProcessPair])

    def hear(self, kind: str, payload: Any) -> None:
        if kind == "commitment":
            self.committed_at = time.time()
            self.committed(str(payload))
        elif kind == "pair":
            self.pairs.append(decode(ProcessPair, payload))
        else:
            self.hear_rest(kind, payload)


def evidence_of(
    trial: StoredTrial, recorder: Recorder, target_seeds: Seeds, root: Path, reached: Mapping[str, str]
) -> Evidence:
    return Evidence(
        written_at=time.time(),
        committed_at=recorder.committed_at,
        trial=trial,
        sha256=_hashes(trial),
        project=Project(str(root), dict(reached)),
        target_seeds=target_seeds,
        pairs=tuple(recorder.pairs),
    )


def write_evidence(path: Path, evidence: Evidence) -> None:
    head = {"format": evidence.format, "version": evidence.version}  # first, for whoever opens the file
    text = json.dumps(head | plain(evidence), indent=1, allow_nan=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text + "\n")


def is_file(reference: str) -> bool:
    """Whether a verdict is named by a file of evidence, and not by its id."""
    return reference.endswith(".json") or "/" in reference or Path(reference).is_file()


def read_evidence(path: Path) -> Evidence:
    """Raises EvidenceError with the first thing that is wrong: with the file, its format, or what it claims."""
    try:
        message: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EvidenceError(f"{path}: no such file; audits leave theirs in .outpace/{EVIDENCE}") from None
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{path}: no valid JSON ({error}): it is cut off, or no evidence file") from error
    if not isinstance(message, Mapping) or message.get("format") != FORMAT:
        raise EvidenceError(f'{path}: no evidence file: its "format" is not "{FORMAT}"')
    if message.get("version") != VERSION:
        raise EvidenceError(
            f"{path}: evidence of version {message.get('version')!r}, and this outpace reads version {VERSION}: "
            "use the outpace that wrote it, or audit again"
        )
    try:
        evidence = decode(Evidence, message)
    except WrongField as error:
        raise EvidenceError(f"{path}: {error}") from error
    problem = next(_problems(evidence), "")
    if problem:
        raise EvidenceError(f"{path}: {problem}")
    return evidence


def _problems(evidence: Evidence) -> Iterator[str]:
    """What in the file contradicts itself. That none is found does not prove it true: a replay does."""
    for name, expected in _hashes(evidence.trial).items():
        if evidence.sha256.get(name) != expected:
            yield f"sha256.{name} is not that of its source: one of them was changed after the fact"
    for file in evidence.trial.idea.patch.files:
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts:
            yield f"trial.idea.patch.files: {file.path!r} must be relative, without .."
    seeds = evidence.trial.verdict.seeds
    if seeds is None:
        yield "trial.verdict.seeds: missing"
        return
    windows = [window.seed for pair in evidence.pairs for samples in pair.samples for window in samples.windows]
    yield from filter(None, (problem_with(seeds, windows), problem_with(evidence.target_seeds, [])))
    if any(not _has_length(samples) for pair in evidence.pairs for samples in pair.samples):
        yield "pairs: a window without calls, or without a length in seconds"
        return
    yield from _timing_problems(evidence)


def _has_length(samples: Samples) -> bool:
    times = [*samples.harness, *(time for window in samples.windows for time in window.seconds)]
    return min(samples.calls) > 0 and all(0 < time < math.inf for time in times)


def _timing_problems(evidence: Evidence) -> Iterator[str]:
    """Every reported speedup and interval is computed again from the raw samples."""
    verdict = evidence.trial.verdict
    for timing in verdict.timings:
        computed = [samples.log_ratio() for samples in samples_of(evidence, timing)]
        if not _close(computed, timing.log_ratios):
            yield f"the log-ratios of {timing.workload} ({timing.mode}) do not follow from its samples"
        elif not _follows(computed, timing.confidence, timing.speedup, timing.interval):
            yield f"speedup and interval of {timing.workload} ({timing.mode}) do not follow from its samples"
    if verdict.timings and verdict.speedup is not None and verdict.interval is not None:
        mean = mean_log_ratios(verdict.timings)
        if not _follows(mean, verdict.timings[0].confidence, verdict.speedup, verdict.interval):
            yield "speedup and interval of the verdict do not follow from those of its workloads"
    if verdict.accepted and (verdict.failed or verdict.speedup is None):
        yield "accepted, although a check failed or nothing was timed"


def samples_of(evidence: Evidence, timing: Timing) -> list[Samples]:
    """Of the pairs that count, in the order in which they were measured."""
    return [
        samples
        for pair in evidence.pairs
        if pair.role == "confirmation"
        for samples in pair.samples
        if (samples.workload, samples.mode) == (timing.workload, timing.mode) and samples.windows
    ]


def mean_log_ratios(timings: tuple[Timing, ...]) -> list[float]:
    """Pair by pair, over workloads. Of a workload timed in two modes the first decides."""
    deciding: dict[str, Timing] = {}
    for timing in timings:
        deciding.setdefault(timing.workload, timing)
    columns = zip(*(timing.log_ratios for timing in deciding.values()), strict=False)
    return [sum(column) / len(deciding) for column in columns]


def _follows(log_ratios: list[float], confidence: float, speedup: float, interval: tuple[float, float]) -> bool:
    if not (log_ratios and 0 < confidence < 1):
        return False
    found = estimate(log_ratios, confidence)
    try:
        return _close([found.ratio, *found.ratio_interval], (speedup, *interval))
    except OverflowError:  # no audit measures such a ratio
        return False


def _close(computed: list[float], claimed: tuple[float, ...]) -> bool:
    return len(computed) == len(claimed) and all(
        math.isclose(a, b, rel_tol=AGREEMENT, abs_tol=AGREEMENT) for a, b in zip(computed, claimed, strict=True)
    )


def _hashes(trial: StoredTrial) -> dict[str, str]:
    return {
        "baseline": base_hash(trial.target.code.source),
        "candidate": base_hash(trial.idea.patch.new_source),
        **{f"candidate's {file.path}": base_hash(file.text) for file in trial.idea.patch.files},
    }
