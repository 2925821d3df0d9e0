"""A candidate's GPU kernels under compute-sanitizer, once it is known to be faster: on the declared inputs and on other
shapes, for reads and writes beside any tensor, the candidate's own scratch included."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from outpace_audit import memcheck
from outpace_audit.checks.evidence import Evidence, MemoryWatch
from outpace_audit.errors import ArmError, OutOfResources
from outpace_audit.observing import new_request
from outpace_audit.records import Code, Workload
from outpace_audit.shape_scouting import Variant
from outpace_audit.thresholds import CALL_TIMEOUT_S

if TYPE_CHECKING:
    from outpace_audit.judge import Judge

WATCHED_SHAPES = 3
"""Of those that the baseline bears beside the declared: a tile's rest is where kernels read too far."""
WATCH_S = 60.0
"""No call begins later: the tool makes every load many times slower."""
END_S = 30.0
"""For the tool to write its report."""
MOST_SAID = 300
_TRITON = re.compile(r"^\s*(?:import|from)\s+triton\b", re.MULTILINE)
_FINDING = re.compile(r"^=+ (\S.*)\n=+ +(at (.+?)\+0x.*)$", re.MULTILINE)
"""What it is, where, and the kernel's name, with its types where it is C++."""
_KERNEL = re.compile(r"\bdef\s+(\w+)|__global__[^(;{]*?(\w+)\s*\(")

Call = tuple[Workload, dict[str, Any]]


def why_unwatched(evidence: Evidence) -> str:
    if evidence.machine.device != "cuda":
        return "only a GPU's memory is watched"
    if not has_kernels(evidence.candidate):
        return "it brings no kernels of its own"
    if memcheck.program() is None:
        return f"{memcheck.PROGRAM} is not on this machine; it comes with the CUDA toolkit"
    return ""


def watch_memory(judge: Judge, evidence: Evidence) -> MemoryWatch:
    started = time.monotonic()
    calls = _calls(judge, evidence)
    seen = _watched(judge, evidence.candidate, calls)
    if seen.report:
        seen = replace(seen, inherited=bool(_watched(judge, evidence.baseline, calls).report))
    return replace(seen, seconds=time.monotonic() - started)


def has_kernels(code: Code) -> bool:
    return code.builds or any(_TRITON.search(text) for text in code.texts)


def first_finding(report: str, code: Code) -> str:
    """The tool's first finding in a kernel whose text the code has, and where; empty where all are in others, as of
    torch's libraries."""
    texts = (*code.texts, *(file.text for file in code.files))
    own = {name for text in texts for names in _KERNEL.findall(text) for name in names}
    for headline, place, kernel in _FINDING.findall(report):
        if own.intersection(re.findall(r"\w+", kernel)):
            return f"{headline} {place}"[:MOST_SAID]
    return ""


def _calls(judge: Judge, evidence: Evidence) -> list[Call]:
    seeds, workloads = evidence.seeds, judge.facts.workloads
    others: list[Variant] = [variant for one in workloads for variant in one.domain.shapes]
    chosen = random.Random(seeds.seed("probe")).sample(others, min(WATCHED_SHAPES, len(others)))
    declared = [(one.workload, new_request(seeds, one.cotangents)) for one in workloads]
    return [*declared, *((one.workload, new_request(seeds, one.cotangents)) for one in chosen)]


def _watched(judge: Judge, code: Code, calls: Sequence[Call]) -> MemoryWatch:
    """A call that fails is not held against the code here: it may be the tool's doing, or the first error's."""
    made, trouble = 0, ""
    try:
        side, _ = judge.side_of(code, "candidate", entry=memcheck.ENTRY)
    except (ArmError, OutOfResources) as error:
        return MemoryWatch(not_seen=f"it did not start under {memcheck.PROGRAM}: {error}")
    try:
        latest = time.monotonic() + WATCH_S
        for workload, request in calls:
            if time.monotonic() > latest:
                trouble = f"{len(calls) - made} of {len(calls)} calls were not made in {WATCH_S:.0f} s"
                break
            side.workload(workload)
            side.call(workload, CALL_TIMEOUT_S, **request)
            made += 1
    except (ArmError, OutOfResources) as error:
        trouble = f"a call failed under {memcheck.PROGRAM}: {error}"
    try:
        found = side.process.finish(END_S) == memcheck.FOUND
        report = first_finding(side.process.log_tail(1 << 20), code) if found else ""
        if found and not report:
            trouble = trouble or f"{memcheck.PROGRAM} saw errors in kernels that are not its own"
        return MemoryWatch(made, report, not_seen=trouble)
    finally:
        side.close()
