"""One audit of one candidate. Levels run from cheap to dear and stop at the first failure: static checks here, calls in
one process of each side, then timing over fresh process pairs."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from outpace_audit.checks import memory_errors, other_uses, registry
from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.checks.foreign import load_checks
from outpace_audit.errors import ArmError
from outpace_audit.observing import Trio, numerics_class, observe
from outpace_audit.probing import Prober
from outpace_audit.progress import Progress
from outpace_audit.records import Check, Code, Patch, Policy, Verdict, content_id
from outpace_audit.seeds import SeedSource
from outpace_audit.timed_stage import TimedStage, blame_candidate

if TYPE_CHECKING:
    from outpace_audit.judge import Judge

Listener = Callable[[str, Any], None]
"""Called with ("commitment", hash) before anything is drawn, then ("stage", text), ("waiting", text), ("check", Check)
and ("pair", ProcessPair) as the audit goes on."""


@dataclass(frozen=True, slots=True)
class Options:
    """How strict and how far one audit goes.

    `off`: names of checks to skip, for tests of the auditor itself; a verdict names them. `everything`: go on after a
    failure. `last`: stop after this level; what was not timed is not accepted. `confirmations_before`: ideas on this
    target that have already reached confirmation. `screen`: drop a clearly slower candidate after one pair, before the
    probes, which take most of the time. `checks`: of third parties, see checks/foreign.py. `limit_s`: how long the
    candidate may be at work before the audit is given up with OutOfResources.
    """

    policy: Policy = "tolerant"
    off: frozenset[str] = frozenset()
    everything: bool = False
    last: Literal["L3", "L4"] = "L4"
    confirmations_before: int = 0
    screen: bool = True
    checks: tuple[str, ...] = ()
    limit_s: float = math.inf


class Audit:
    """Of `candidate` against the judge's target."""

    def __init__(self, judge: Judge, candidate: Code, patch: Patch | None, options: Options, tell: Listener) -> None:
        self._judge = judge
        self._facts = judge.facts
        self._options = options
        self._tell = tell
        seeds = SeedSource()
        self._evidence = Evidence(
            self._facts.code,
            candidate,
            patch,
            options.policy,
            judge.machine,
            self._facts.trains,
            self._facts.state,
            seeds=seeds,
            draws=self._facts.draws,
        )
        self._progress = Progress(load_checks(options.checks, registry.NAMES), options.off)
        self._timed = (
            TimedStage(judge, self._evidence, options.confirmations_before, tell) if options.last == "L4" else None
        )

    def run(self) -> Verdict:
        self._tell("commitment", self._evidence.seeds.commitment)
        self._run([*registry.STATIC, *self._progress.foreign_of("L0")])
        with self._judge.memory_explained():
            if self._goes_on:
                self._call()
            if self._timed is not None and self._goes_on:
                self._finish_timing(self._timed)
        return self._verdict()

    @property
    def _goes_on(self) -> bool:
        wanted = self._options.everything or self._progress.failed is None
        return wanted and self._evidence.candidate_failure is None

    def _call(self) -> None:
        what = "values and gradients" if self._evidence.trains else "values"
        self._tell("stage", f"checking {what} against truth")
        with contextlib.ExitStack() as at_the_end:
            trio = self._observed(at_the_end)
            self._judge_calls()
            if self._timed is not None and self._options.screen and self._goes_on:
                self._record_if_failed(self._timed.screen())
            if trio is not None and self._goes_on:
                self._probe(trio)
            if self._goes_on:
                self._run(self._progress.foreign_of("L1", "L2", "L3"))

    def _observed(self, at_the_end: contextlib.ExitStack) -> Trio | None:
        """None where the candidate failed at a plain call."""
        try:
            candidate, self._evidence.candidate_state = self._judge.side_of(self._evidence.candidate, "candidate")
            at_the_end.callback(candidate.close)
            trio = self._judge.trio(candidate, self._evidence.seeds)
            observe(trio, self._facts, self._evidence)
        except ArmError as error:
            self._evidence.candidate_failure = blame_candidate(error)
            return None
        return trio

    def _judge_calls(self) -> None:
        # Where calls failed, the rest of the checks would pass for want of anything to see.
        failed = self._evidence.candidate_failure is not None
        self._run(registry.CALLS[:1] if failed else registry.CALLS)
        self._progress.numerics = numerics_class(self._evidence)
        if self._options.policy == "exact" and self._progress.numerics != "exact" and not failed:
            said = "not the same bits as the baseline, and the policy is exact"
            self._record(Check("numerics-class", "L2", False, said))

    def _probe(self, trio: Trio) -> None:
        self._tell("stage", "checking other values, shapes and places")
        prober = Prober(trio, self._facts, self._evidence)
        for check in registry.PROBED:
            if not self._goes_on:
                return
            if check.name in self._options.off:
                continue
            if self._timed is not None:
                self._timed.between()
            try:
                prober.gather(check.name)
            except ArmError as error:
                blame_candidate(error)
            self._run((check,))

    def _finish_timing(self, timed: TimedStage) -> None:
        failed = timed.finish()
        self._record_if_failed(failed)
        if failed is None:
            self._run(registry.TIMING)
            if self._goes_on and memory_errors.NAME not in self._options.off:
                self._evidence.memory = timed.watch_memory()
            if self._goes_on:
                self._run([*registry.CONFIRMED, *self._progress.foreign_of("L4")])

    def _run(self, wanted: Sequence[AuditCheck]) -> None:
        for check in wanted:
            if check.name in self._options.off:
                continue
            self._record(check.run(self._evidence))
            if self._progress.failed is not None and not self._options.everything:
                return

    def _record_if_failed(self, check: Check | None) -> None:
        if check is not None:
            self._record(check)

    def _record(self, check: Check) -> None:
        self._progress.checks.append(check)
        self._tell("check", check)

    def _verdict(self) -> Verdict:
        options, evidence, progress = self._options, self._evidence, self._progress
        failed, mean = progress.failed, evidence.geomean
        accepted = failed is None and mean is not None and not options.off
        reason = f"{failed.name}: {failed.evidence}" if failed else "every check passed"
        if options.last != "L4" and failed is None:
            reason = f"every check up to {options.last} passed; not timed"
        if failed is None and (cut := other_uses.said_of_cut(evidence)):
            reason = f"{reason}; {cut}"
        if options.off and failed is None:
            reason = f"not a verdict to show: checks were off: {', '.join(sorted(options.off))}"
        key = content_id(
            evidence.baseline.id,
            evidence.candidate.id,
            [one.workload.id for one in self._facts.workloads],
            options.policy,
            asdict(evidence.machine),
            evidence.trains,
            sorted(options.off),
            options.checks,
        )
        return Verdict(
            id=key,
            accepted=accepted,
            reason=reason,
            numerics=progress.numerics,
            level=progress.level,
            speedup=mean.speedup if mean else None,
            interval=mean.interval if mean else None,
            timings=(*evidence.timings, *evidence.as_called),
            checks=tuple(progress.checks),
            machine=evidence.machine,
            protections=self._judge.protections,
            trains=evidence.trains,
            truth=self._facts.truth,
            seeds=evidence.seeds.revealed(),
        )
