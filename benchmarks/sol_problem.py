"""One problem of sol_execbench.py, in a process that keeps its judge: optimized as a user would, then raced."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sol_score import CONTROL, OFFER

from outpace_audit.codec import decode, plain
from outpace_audit.errors import JudgeError, OutOfResources, OutpaceError, TargetError, WorkloadError
from outpace_audit.records import Closely, Code, Machine, QuickLook, Tolerance, content_id
from outpace_audit.roofline.records import Ceilings, Measured
from outpace_audit.samples import Samples
from outpace_optimizers.judge_client import JudgeClient, Judges
from outpace_optimizers.loop import optimize
from outpace_optimizers.records import Event, OptimizeRequest, Report, StageEvent, Target, Trial, Trouble
from outpace_optimizers.roofline.ceilings import ceilings_of
from outpace_optimizers.roofline.limits import limits_of
from outpace_optimizers.session import Session
from outpace_optimizers.targets.sol_execbench import load_problem_folder
from outpace_optimizers.workspace import Workspace, write_atomically

ROUNDS = 8
"""Windows of each side in one look at one workload: half of what a verdict's pair has, in as many pairs again."""
TOLERANCE = ("max_atol", "max_rtol", "required_matched_ratio", "max_error_cap", "allow_negative_inf")
NOT_HERE = ("the baseline itself fails", "importing it failed", "no workload can run here")
"""Why the reference cannot be run on this machine. Whatever else a target is refused for is a failure of ours."""
COMPILED = """

import torch as _torch
import torch._dynamo as _dynamo

_dynamo.config.cache_size_limit = 256
run = _torch.compile(run, mode={mode!r}, dynamic=False)
"""
"""Appended to the reference: each workload compiled for its own sizes, as if it were the only one, however many."""
OPTIMIZED = "optimized"
"""In the state: what optimizing came to, with the offer, for a run that was cut off before its race."""


@dataclass(frozen=True, slots=True)
class How:
    """What all problems of one result have in common."""

    device: str
    budget_s: float
    repeats: int
    modes: tuple[str, ...]
    compile_s: float
    """For an arm to load and compile, and again to be timed, in one repeat."""
    all_workloads: bool
    python: str


@dataclass(slots=True)
class Stages:
    """Seconds by what was said to go on."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    _now: str = "starting"
    _since: float = field(default_factory=time.monotonic)

    def enter(self, text: str) -> None:
        now = time.monotonic()
        self.seconds[self._now] = round(self.seconds.get(self._now, 0.0) + now - self._since, 1)
        self._now, self._since = text, now


@dataclass(frozen=True, slots=True)
class Optimized:
    target: Target
    machine: Machine
    offer: Code | None
    record: dict[str, Any]


class Bench:
    """One device's share: its judge, and its ceilings once measured."""

    def __init__(self, how: How, state: Path) -> None:
        """`state`: where judges keep what they know, and this what it has done."""
        self._how = how
        self._state = state
        self._judges = Judges()
        self._ceilings: Ceilings | None = None
        self._stages = Stages()
        self._troubles: list[str] = []

    def measured(self, folder: Path) -> dict[str, Any]:
        """The record of one problem. It quotes nothing of it."""
        started = time.monotonic()
        self._stages, self._troubles = Stages(), []
        record: dict[str, Any] = {"state": "failed", "error": None, "arms": {}, "trials": [], "workloads": []}
        try:
            self._measure(folder, record)
        except OutpaceError as error:
            alien = isinstance(error, (TargetError, WorkloadError)) and any(why in str(error) for why in NOT_HERE)
            record |= {"state": "unrunnable" if alien else "failed", "error": f"{type(error).__name__}: {error}"}
        self._stages.enter("")
        seconds = round(time.monotonic() - started, 1)
        return record | {"seconds": seconds, "stages": self._stages.seconds, "troubles": self._troubles}

    def _measure(self, folder: Path, record: dict[str, Any]) -> None:
        """Fills the record as far as it comes."""
        how = self._how
        request = OptimizeRequest(
            path=str(folder), budget_s=how.budget_s, device="cuda" if how.device == "cuda" else "cpu",
            python=how.python, fresh=True, by_hash=not how.all_workloads, all_workloads=how.all_workloads,
        )  # fmt: skip
        kept = self._state / OPTIMIZED / f"{content_id(str(folder), asdict(how))}.json"
        found = self._again(request, kept) or self._optimized(request, kept)
        record |= found.record
        if record["ending"] == "failed":
            raise JudgeError(record["stop"])
        with self._judges.judge(request, Workspace.of(folder)) as client:
            record["arms"] = self._raced(client, folder, found)
            record["floor"], record["ceilings"] = self._floor(client, found.machine)
        record["state"] = "finished"

    def _optimized(self, request: OptimizeRequest, kept: Path) -> Optimized:
        began = time.monotonic()
        report = optimize(request, self._hear, self._judges)
        record = _of_report(report) | {"optimize_s": round(time.monotonic() - began, 1)}
        code, best = report.target.code, report.best
        offer = None if best is None else replace(code, source=best.idea.patch.new_source, files=best.idea.patch.files)
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(kept, json.dumps(plain({"record": record, "offer": offer})))
        return Optimized(report.target, report.machine, offer, record)

    def _again(self, request: OptimizeRequest, kept: Path) -> Optimized | None:
        """What an earlier run came to that was cut off afterwards; its judge has the target again."""
        try:
            found = json.loads(kept.read_text())
        except OSError:
            return None
        with Session.of_file(Path(request.path), request, self._hear, self._judges) as session:
            if [workload.label for workload in session.target.workloads] != found["record"]["workloads"]:
                return None
            offer = decode(Code, found["offer"]) if found["offer"] else None
            return Optimized(session.target, session.machine, offer, found["record"] | {"resumed": True})

    def _raced(self, client: JudgeClient, folder: Path, found: Optimized) -> dict[str, list[Any]]:
        """All arms in fresh processes, `repeats` times, each time in another order; each beside eager, and eager once
        beside itself."""
        how, code = self._how, found.target.code
        arms = {f"compile {mode}": _compiled(code, mode) for mode in how.modes}
        if found.offer is not None:
            arms[OFFER] = found.offer
        closely = Closely(ROUNDS, how.compile_s, tolerances_of(folder, found.target, how))
        arms[CONTROL] = code
        looks: dict[str, list[Any]] = {name: [] for name in arms}
        for repeat in range(how.repeats):
            self._stages.enter(f"racing, repeat {repeat + 1}")
            names = [name for name in random.sample(list(arms), len(arms)) if name != CONTROL or not repeat]
            seen = self._looks(client, [arms[name] for name in names], closely)
            for name, look in zip(names, seen, strict=True):
                looks[name].append(_of_look(look))
        return looks

    def _looks(self, client: JudgeClient, arms: Sequence[Code], closely: Closely) -> list[QuickLook]:
        """All at once; what memory does not last for, one by one."""
        try:
            seen = client.quick(arms, self._hear_judge, closely)
        except OutOfResources as error:
            self._troubles.append(f"raced one by one: {error}")
            seen = [QuickLook(passing=True)] * len(arms)
        return [
            client.quick([arm], self._hear_judge, closely)[0] if look.passing else look
            for arm, look in zip(arms, seen, strict=True)
        ]

    def _floor(self, client: JudgeClient, machine: Machine) -> tuple[list[Any], Any]:
        """By workload; nothing where the work cannot be counted, which is a trouble and no failure."""
        self._stages.enter("finding the floor")
        if self._ceilings is None:
            self._ceilings, said = ceilings_of(machine, lambda: client.ceilings(self._hear_judge), fresh=False)
            self._troubles += [said] if said else []
        try:
            return floors(client.work(self._ceilings, self._hear_judge), self._ceilings), plain(self._ceilings)
        except OutpaceError as error:
            self._troubles.append(f"no floor: {error}")
            return [], plain(self._ceilings)

    def _hear(self, event: Event) -> None:
        if isinstance(event, StageEvent):
            self._stages.enter(_stage(event.text))
        elif isinstance(event, Trouble):
            self._troubles.append(event.text)

    def _hear_judge(self, kind: str, payload: Any) -> None:
        if kind == "waiting":
            self._stages.enter("waiting")


def _stage(text: str) -> str:
    """Without what differs from one to the next."""
    if text.startswith("seeds committed"):
        return "static checks"
    return "timing a fresh process pair" if text.startswith("timing fresh process pair") else text


def _compiled(code: Code, mode: str) -> Code:
    return replace(code, source=code.source + COMPILED.format(mode=mode))


def tolerances_of(folder: Path, target: Target, how: How) -> dict[str, Tolerance]:
    """By label, of the workloads that were judged. A key that the benchmark's own loader ignores is ignored."""
    few = {} if not how.all_workloads else {"workload_limit": None}
    device = "cuda" if how.device == "cuda" else "cpu"
    problem = load_problem_folder(folder, None, device, by_hash=not how.all_workloads, **few)
    judged = {workload.label for workload in target.workloads}
    return {
        workload.label: _tolerance(line.data.get("tolerance") or {})
        for workload, line in zip(problem.target.workloads, problem.lines, strict=True)
        if workload.label in judged
    }


def _tolerance(given: Mapping[str, Any]) -> Tolerance:
    return Tolerance(**{name: given[name] for name in TOLERANCE if given.get(name) is not None})


def floors(work: Measured, ceilings: Ceilings) -> list[dict[str, Any]]:
    """max(sum of FLOPs / peak of their precision, least bytes / bandwidth, one launch), all rates measured here."""
    launch = min((rate.best for rate in ceilings.of("launch")), default=0.0)
    found: list[dict[str, Any]] = []
    for point in work.points:
        limits = limits_of(point, ceilings, launch)
        found.append({
            "workload": point.workload, "seconds": limits.seconds, **asdict(limits), "sets": point.sets,
            "flops": dict(point.work.flops), "least_bytes": point.work.least_bytes, "uncounted": point.work.uncounted,
        })  # fmt: skip
    return found


def _of_report(report: Report) -> dict[str, Any]:
    return {
        "machine": report.machine.uuid,
        "machine_record": plain(report.machine),
        "reference": hashlib.sha256(report.target.code.source.encode()).hexdigest(),
        "workloads": [workload.label for workload in report.target.workloads],
        "notes": list(report.notes),
        "stop": report.stop,
        "ending": report.ending,
        "unjudged": [note for note in report.notes if "not judged" in note],
        "trials": [_of_trial(trial) for trial in report.trials],
        "offered": report.best.id if report.best else None,
    }


def _of_trial(trial: Trial) -> dict[str, Any]:
    verdict, patch = trial.verdict, trial.idea.patch
    return {
        "id": trial.id, "replay": f"outpace replay {trial.id}", "rule": trial.idea.rule, "change": trial.idea.title,
        "patch": patch.id, "patch_sha256": hashlib.sha256(patch.new_source.encode()).hexdigest(),
        "accepted": verdict.accepted, "reason": verdict.reason, "class": verdict.numerics, "level": verdict.level,
        "auditor": verdict.auditor, "speedup": verdict.speedup, "interval": verdict.interval,
        "timings": [asdict(timing) for timing in verdict.timings], "judged_s": round(trial.judged_s, 1),
    }  # fmt: skip


def _of_look(look: QuickLook) -> dict[str, Any]:
    return {
        "failure": look.failure.splitlines()[0] if look.failure else "",
        "compile_s": round(look.compile_s, 1),
        "matches": [asdict(match) for match in look.matches],
        "samples": [_of_samples(samples) for samples in look.samples],
    }


def _of_samples(samples: Samples) -> dict[str, Any]:
    """Seconds of each window, (eager, arm), all calls together."""
    return {
        "workload": samples.workload, "mode": samples.mode, "calls": samples.calls, "harness": samples.harness,
        "seconds": [window.seconds for window in samples.windows],
    }  # fmt: skip


def serve(connection: Connection, how: How, visible: str | None, state: str) -> None:
    """Answers each folder with its record, on one GPU. Ends with whoever holds the other end."""
    os.environ["OUTPACE_STATE"] = state
    if visible is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = visible
    asked: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, asked), daemon=True).start()
    bench = Bench(how, Path(state))
    while True:
        folder = asked.get()
        try:
            connection.send(bench.measured(Path(folder)))
        except Exception as error:  # one problem's surprise must not cost the others their turn
            connection.send({"state": "failed", "error": f"{type(error).__name__}: {error}"})


def _listen(connection: Connection, asked: queue.SimpleQueue[str]) -> None:
    try:
        while True:
            asked.put(connection.recv())
    except EOFError:
        os._exit(1)  # the judge's pipes close, and it ends with all that it started
