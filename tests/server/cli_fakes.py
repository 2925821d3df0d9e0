"""Records and an engine made up for the command line's tests. No arm, no judge, no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from outpace_audit.records import Check, Code, Idea, Machine, Patch, Span, Timing, Verdict, Workload
from outpace_optimizers.records import (
    Again,
    CheckDone,
    Listener,
    OptimizeRequest,
    Report,
    StageEvent,
    Target,
    Trial,
    TrialFinished,
    TrialStarted,
)
from outpace_optimizers.source import base_hash
from outpace_optimizers.targets.source_text import read_source
from outpace_server.commands.engine import Engine

MACHINE = Machine("cpu", "Test CPU", "", "Test CPU", 2, "3.11.7", "2.13.0", None, None, None)
TIMING = Timing("batch=2", 1.42, (1.38, 1.46), 0.995, 5, 3.1e-3, 2.2e-3, "as-called")
SOURCE = "import torch\n\n\ndef work(x):\n    return x + 1\n\n\ndef get_inputs():\n    return [torch.ones(3)]\n"


def make_trial(path: str, source: str, new_source: str, **verdict: Any) -> Trial:
    patch = Patch(path, base_hash(source), new_source, (Span("work"),))
    idea = Idea("torch-compile", "compile work [bold]with[/bold] torch.compile", "one graph", "tolerant", patch)
    fields: dict[str, Any] = {
        "id": "abc", "accepted": True, "reason": "faster", "numerics": "tolerant", "level": "L4",
        "speedup": 1.42, "interval": (1.38, 1.46), "timings": (TIMING,), "machine": MACHINE,
        "protections": ("net-ns", "pid-ns"),
        "checks": (Check("static", "L0", True, "parses", numbers={"worst": float("nan")}),), "trains": True,
        "truth": "fp64",
    }  # fmt: skip
    return Trial("t1", "work", idea, Verdict(**(fields | verdict)), "--- a\n+++ b\n-old\n+new\n", "outpace replay abc")


def rejected(trial: Trial) -> Trial:
    check = Check("error-against-truth", "L2", False, "error 3e-2 \x1b[31mred", threshold="4e-6")
    verdict = replace(
        trial.verdict, accepted=False, reason="wrong\nby far", speedup=None, interval=None, level="L1",
        timings=(), checks=(check,),
    )  # fmt: skip
    return replace(trial, id="t2", verdict=verdict)


def fake_report(request: OptimizeRequest, new_source: str | None = None, *, win: bool = True) -> Report:
    path = Path(request.path)
    source = read_source(path).text if path.is_file() else "def run(x):\n    return x + 1\n"
    changed = source.replace("x + 1", "x.add(1)") if new_source is None else new_source
    trial = make_trial(str(path), source, changed)
    trials = (trial, rejected(trial)) if win else (rejected(trial),)
    code = Code(str(path), source, "work", "function")
    target = Target(code, (Workload("get_inputs", "get_inputs", "declared"),), ("workloads made smaller",))
    return Report(target, MACHINE, trials, "no more ideas", ("workloads made smaller", "from the loop"))


def fake_optimize(request: OptimizeRequest, listener: Listener) -> Report:
    report = fake_report(request)
    listener(StageEvent("probing the baseline"))
    for index, trial in enumerate(report.trials, start=1):
        listener(TrialStarted(index, len(report.trials), trial.idea.title))
        for check in trial.verdict.checks:
            listener(CheckDone(check))
        listener(TrialFinished(trial))
    return report


def make_engine(
    optimize: Callable[[OptimizeRequest, Listener], Report] = fake_optimize,
    *,
    accept: bool = True,
    recheck: Callable[[str, Path, Again, Listener], Trial] | None = None,
    asked: list[OptimizeRequest] | None = None,
) -> Engine:
    def audit_files(baseline: Path, candidate: Path, request: OptimizeRequest, listener: Listener) -> Trial:
        listener(StageEvent(f"judging {candidate.name} against {baseline.name}"))
        if asked is not None:
            asked.append(request)
        trial = make_trial(request.path, "a", "b")
        return trial if accept else rejected(trial)

    def audit_solution(folder: Path, solution: Path, request: OptimizeRequest, listener: Listener) -> Trial:
        listener(StageEvent(f"judging {solution.name} on {folder.name}"))
        return make_trial(request.path, "a", "b")

    def replay(reference: str, root: Path, again: Again, listener: Listener) -> Trial:
        listener(StageEvent(f"replaying {reference} of {root.name}"))
        return make_trial("x.py", "a", "b")

    return Engine(optimize, audit_files, audit_solution, replay, recheck or replay, optimize)
