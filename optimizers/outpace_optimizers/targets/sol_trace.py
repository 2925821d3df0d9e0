"""SOL-ExecBench's trace: one JSON line for each workload that an entry was judged on."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from outpace_audit.codec import plain
from outpace_audit.records import Check, Machine, Timing, Verdict
from outpace_optimizers.targets.sol_execbench import Problem
from outpace_optimizers.targets.sol_workloads import RawWorkload

NOT_FASTER = ("screen", "speedup")
"""Right, but not proven faster: for the benchmark a pass, whose score says the rest."""

STATUS = {
    "edit-span": "COMPILE_ERROR",
    "hard-crimes": "REWARD_HACK",
    "input-mutation": "REWARD_HACK",
    "aliasing": "REWARD_HACK",
    "outputs-against-truth": "INCORRECT_NUMERICAL",
    "gradients-against-truth": "INCORRECT_NUMERICAL",
    "numerics-class": "INCORRECT_NUMERICAL",
    "timed-run": "RUNTIME_ERROR",
}
"""By the check that failed. Those that are not here look for results that were not computed when they were timed."""

SHOWN = ("max_relative_error", "max_absolute_error", "has_nan", "has_inf")


def trace_lines(problem: Problem, solution: str, verdict: Verdict, left_out: Sequence[str] = ()) -> list[str]:
    """One verdict is on all workloads: an entry that fails on one of them is not believed on the others. `left_out`:
    labels of those that were not judged."""
    timings: dict[str, Timing] = {}
    for timing in verdict.timings:
        timings.setdefault(timing.workload, timing)
    return [
        json.dumps(
            plain({
                "definition": problem.definition.name,
                "workload": _workload(line, workload.shrunk_from, workload.axes),
                "solution": solution,
                "evaluation": _evaluation(verdict, workload.label, timings.get(workload.label), workload.shrunk_from),
            }),
            allow_nan=False,
        )
        for workload, line in zip(problem.target.workloads, problem.lines, strict=True)
        if workload.label not in left_out
    ]  # fmt: skip


def _workload(line: RawWorkload, shrunk_from: Mapping[str, int] | None, axes: Mapping[str, int]) -> dict[str, Any]:
    """As it stands in its file, but for sizes that were made smaller."""
    if shrunk_from is None:
        return line.data
    return {**line.data, "axes": {name: axes[name] for name in line.variables}}


def _evaluation(
    verdict: Verdict, label: str, timing: Timing | None, shrunk_from: Mapping[str, int] | None
) -> dict[str, Any]:
    status = status_of(verdict)
    passed = status == "PASSED"
    differences = _differences(verdict, label)
    return {
        "status": status,
        "log": "; ".join([*_log(verdict), *([f"axes made smaller from {dict(shrunk_from)}"] if shrunk_from else [])]),
        "environment": {"hardware": verdict.machine.name, "libs": _libs(verdict.machine)},
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "correctness": differences if passed or status == "INCORRECT_NUMERICAL" else None,
        "performance": _performance(timing) if passed and timing is not None else None,
    }


def status_of(verdict: Verdict) -> str:
    failed = verdict.failed
    if failed is None or failed.name in NOT_FASTER:
        return "PASSED"
    kind = failed.numbers.get("kind")
    if kind is not None:
        return "TIMEOUT" if kind == "timeout" else "RUNTIME_ERROR"
    if failed.name == "contract":
        return _contract_status(failed)
    return STATUS.get(failed.name, "REWARD_HACK")


def _contract_status(failed: Check) -> str:
    """The benchmark has words for two of the ways in which outputs can be other ones; the rest is their shape."""
    return "INCORRECT_DTYPE" if " has dtype " in failed.evidence else "INCORRECT_SHAPE"


def _log(verdict: Verdict) -> list[str]:
    said = "accepted" if verdict.accepted else f"rejected: {verdict.reason}"
    return [f"outpace auditor {verdict.auditor}, verdict {verdict.id}: {said}"]


def _libs(machine: Machine) -> dict[str, str]:
    libs = {"python": machine.python, "torch": machine.torch, "triton": machine.triton, "cuda": machine.cuda}
    return {name: version for name, version in libs.items() if version is not None}


def _differences(verdict: Verdict, label: str) -> dict[str, Any]:
    check = next((one for one in verdict.checks if one.name == "outputs-against-truth"), None)
    found: Any = check.numbers.get("differences") if check is not None else None
    entry = found.get(label, {}) if isinstance(found, dict) else {}
    shown: dict[str, Any] = {name: entry.get(name) for name in SHOWN}
    return {**shown, "extra": {"truth": verdict.truth, "class": verdict.numerics}}


def _performance(timing: Timing) -> dict[str, float]:
    return {
        "latency_ms": 1e3 * timing.candidate_s,
        "reference_latency_ms": 1e3 * timing.baseline_s,
        "speedup_factor": timing.speedup,
    }
