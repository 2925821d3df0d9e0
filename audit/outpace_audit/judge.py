"""The judge: knows one baseline at a time and audits candidates for it. It executes no user code; its arms do.

Levels run from cheap to dear and stop at the first failure: static checks here, calls in one process of each side,
then timing over fresh process pairs (`confirmation`).
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from outpace_audit import checks, headers
from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.checks.foreign import load_checks
from outpace_audit.confirmation import Confirmation
from outpace_audit.errors import ArmError, EnvironmentMissing, JudgeError, OutOfResources
from outpace_audit.facts import TargetFacts, explored, learn
from outpace_audit.gpu_load import Gpu
from outpace_audit.launcher import Launcher
from outpace_audit.lease import device_lease
from outpace_audit.observing import Trio, numerics_class, observe
from outpace_audit.probing import Prober
from outpace_audit.progress import Progress
from outpace_audit.records import (
    Check,
    Code,
    Machine,
    Patch,
    Policy,
    Verdict,
    Workload,
    content_id,
)
from outpace_audit.seeds import SeedSource
from outpace_audit.sides import Side
from outpace_audit.thresholds import COMPILE_TIMEOUT_S, LOAD_TIMEOUT_S

Listener = Callable[[str, Any], None]
"""Called with ("commitment", hash) before anything is drawn, then ("stage", text), ("waiting", text), ("check", Check)
and ("pair", ProcessPair) as the audit goes on."""

ARM_ENTRY = "outpace_audit.arm:serve"


@dataclass(frozen=True, slots=True)
class Options:
    """How strict and how far one audit goes.

    `off`: names of checks to skip, for tests of the auditor itself; a verdict names them. `everything`: go on after a
    failure. `last`: stop after this level; what was not timed is not accepted. `confirmations_before`: ideas on this
    target that have already reached confirmation. `screen`: drop a clearly slower candidate after one pair. `checks`:
    of third parties, see checks/foreign.py. `limit_s`: how long the candidate may be at work before the audit is
    given up with OutOfResources.
    """

    policy: Policy = "tolerant"
    off: frozenset[str] = frozenset()
    everything: bool = False
    last: Literal["L3", "L4"] = "L4"
    confirmations_before: int = 0
    screen: bool = True
    checks: tuple[str, ...] = ()
    limit_s: float = math.inf


class Judge:
    """One judge for one device. Use as a context: leaving it ends every process it started."""

    def __init__(self, device: Literal["cpu", "cuda"], launcher: Launcher, state: Path) -> None:
        """`state`: the .outpace folder, which arms cannot see but for the compile caches in it."""
        self._device = device
        self._caches = state / "cache" / "compile"
        self.launcher = launcher
        self._oracle: Side | None = None
        self._reference: Side | None = None
        self._facts: TargetFacts | None = None
        self._machine: Machine | None = None
        self._deadline = math.inf
        self.protections: tuple[str, ...] = ()

    def __enter__(self) -> Judge:
        self.launcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.launcher.close()

    @property
    def facts(self) -> TargetFacts:
        assert self._facts is not None, "set_target comes first"
        return self._facts

    @property
    def machine(self) -> Machine:
        if self._machine is None:
            side = self.launch("machine", "baseline")
            try:
                with self._memory_explained():
                    self._machine = Machine(**side.ask("machine", LOAD_TIMEOUT_S, device=self._device))
            except ArmError as error:
                raise EnvironmentMissing(f"no usable {self._device} device: {error}") from error
            finally:
                side.close()
        return self._machine

    def launch(self, name: str, cache_key: str, *, compiles: bool = False) -> Side:
        """A fresh sandboxed process with the compile cache of `cache_key`."""
        cache = self._caches / cache_key
        cache.mkdir(parents=True, exist_ok=True)
        env = {"TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor"), "TRITON_CACHE_DIR": str(cache / "triton")}
        process = self.launcher.launch(
            ARM_ENTRY,
            writable=(str(cache),),
            env=env,
            compiles=compiles,
            headers=self._headers if compiles else None,
        )
        self.protections = process.protections
        return Side(process, name, self._deadline if name == "candidate" else math.inf)

    @functools.cached_property
    def _headers(self) -> Path | None:
        return headers.kept_headers(self.machine, self.launcher.python, self._make_headers)

    def _make_headers(self, folder: Path) -> None:
        side = Side(self.launcher.launch(headers.ENTRY, writable=(str(folder),), compiles=True), "headers")
        try:
            side.ask("make", COMPILE_TIMEOUT_S, folder=str(folder))
        finally:
            side.close()

    def set_target(
        self, code: Code, workloads: Sequence[Workload], *, inference: bool = False, scouts: bool = True
    ) -> TargetFacts:
        """Loads the baseline in an oracle and learns how to call it. `scouts`: also on what else it runs."""
        for side in (self._oracle, self._reference):
            if side is not None:
                side.close()
        self._reference = None
        _ = self.machine
        self._oracle = self.launch("oracle", "baseline")
        with self._memory_explained():
            self._facts = learn(self._oracle, code, workloads, self._device, inference=inference)
            if scouts:
                self._facts = explored(self._facts, lambda: self.side_of(code, "scout")[0])
        return self._facts

    def side_of(self, code: Code, name: str) -> tuple[Side, Mapping[str, Any]]:
        """A fresh process that has loaded one side and knows every workload, and the state dict it declares."""
        ((side, state),) = self.sides_of([(code, name)])
        return side, state

    def sides_of(self, wanted: Sequence[tuple[Code, str]]) -> list[tuple[Side, Mapping[str, Any]]]:
        """The same for several sides, which load at the same time."""
        facts, sides = self.facts, list[Side]()
        try:
            for code, name in wanted:
                cache_key = "baseline" if code.id == facts.code.id else code.id
                side = self.launch(name, cache_key, compiles=any("torch.compile" in text for text in code.texts))
                sides.append(side)
                side.begin_load(code, facts.code, self._device)
            states = [side.answer("load", LOAD_TIMEOUT_S)["state"] for side in sides]
            for side in sides:
                for one in facts.workloads:
                    side.workload(one.workload)
                side.train(facts.trains, facts.statistics)
        except BaseException:
            for side in sides:
                side.close()
            raise
        return list(zip(sides, states, strict=True))

    def audit(
        self,
        candidate: Code,
        patch: Patch | None = None,
        options: Options | None = None,
        listener: Listener | None = None,
    ) -> Verdict:
        """The verdict on one candidate. Raises OutOfResources for troubles that are no verdict."""
        options = options or Options()
        self._deadline = time.monotonic() + options.limit_s
        tell = listener or (lambda kind, payload: None)
        foreign = load_checks(options.checks, checks.NAMES)
        seeds = SeedSource()
        tell("commitment", seeds.commitment)
        evidence = Evidence(
            self.facts.code,
            candidate,
            patch,
            options.policy,
            self.machine,
            self.facts.trains,
            self.facts.state,
            seeds=seeds,
        )
        progress = Progress(foreign)
        self._static(evidence, options, progress, tell)
        with self._memory_explained():
            if self._goes_on(progress, options):
                self._calls(evidence, options, progress, tell)
            if options.last == "L4" and self._goes_on(progress, options) and not evidence.candidate_failure:
                self._timing(evidence, options, progress, tell)
        return self._verdict(evidence, options, progress)

    @contextmanager
    def _memory_explained(self) -> Generator[None]:
        """Says of a GPU whose memory ran out how much of it is free, and who holds the rest."""
        try:
            yield
        except OutOfResources as error:
            gpu = Gpu.of(self._machine) if self._machine else Gpu.first_visible()
            words = gpu.memory_words() if self._device == "cuda" and "memory" in str(error) else ""
            raise OutOfResources(f"{error}; {words}" if words else str(error)) from error

    def _goes_on(self, progress: Progress, options: Options) -> bool:
        return options.everything or progress.failed is None

    def _static(self, evidence: Evidence, options: Options, progress: Progress, tell: Listener) -> None:
        self._run([*checks.STATIC, *progress.foreign_of("L0")], evidence, options, progress, tell)

    def _calls(self, evidence: Evidence, options: Options, progress: Progress, tell: Listener) -> None:
        tell(
            "stage",
            "checking values and gradients against truth" if evidence.trains else "checking values against truth",
        )
        candidate: Side | None = None
        try:
            try:
                candidate, evidence.candidate_state = self.side_of(evidence.candidate, "candidate")
                trio = self.trio(candidate, evidence.seeds)
                observe(trio, self.facts, evidence)
            except ArmError as error:
                evidence.candidate_failure = blame_candidate(error)
                self._judge_calls(evidence, options, progress, tell)
            else:
                self._judge_calls(evidence, options, progress, tell)
                self._probe(trio, evidence, options, progress, tell)
                if self._goes_on(progress, options) and not evidence.candidate_failure:
                    self._run(progress.foreign_of("L1", "L2", "L3"), evidence, options, progress, tell)
        finally:
            if candidate is not None:
                candidate.close()

    def _judge_calls(self, evidence: Evidence, options: Options, progress: Progress, tell: Listener) -> None:
        # Where calls failed, the rest of the checks would pass for want of anything to see.
        wanted = checks.CALLS[:1] if evidence.candidate_failure else checks.CALLS
        self._run(wanted, evidence, options, progress, tell)
        progress.numerics = numerics_class(evidence)
        if options.policy == "exact" and progress.numerics != "exact" and not evidence.candidate_failure:
            said = "not the same bits as the baseline, and the policy is exact"
            self._record(Check("numerics-class", "L2", False, said), progress, tell)

    def _probe(self, trio: Trio, evidence: Evidence, options: Options, progress: Progress, tell: Listener) -> None:
        tell("stage", "checking other values, shapes and places")
        prober = Prober(trio, self.facts, evidence)
        for check in checks.PROBED:
            if evidence.candidate_failure or not self._goes_on(progress, options):
                return
            if check.name in options.off:
                continue
            try:
                prober.gather(check.name)
            except ArmError as error:
                blame_candidate(error)
            self._run((check,), evidence, options, progress, tell)

    def _timing(self, evidence: Evidence, options: Options, progress: Progress, tell: Listener) -> None:
        holder = f"{evidence.baseline.symbol} in {evidence.baseline.path}"
        asked = time.monotonic()
        try:
            with device_lease(self.machine, holder, lambda text: tell("waiting", text)) as say_waiting:
                self._deadline += time.monotonic() - asked

                def undisturbed() -> bool:
                    return not self._wait_for_gpu(tell, say_waiting, unseen=False)

                self._wait_for_gpu(tell, say_waiting, unseen=True)
                confirmation = Confirmation(self, evidence, options.confirmations_before, tell, undisturbed)
                refused = confirmation.screen() if options.screen else None
                if refused is not None:
                    self._record(refused, progress, tell)
                    return
                confirmation.run()
        except ArmError as error:
            failure = blame_candidate(error)
            said = f"the candidate failed while it was timed: {failure}"
            self._record(Check("timed-run", "L4", False, said, numbers={"kind": failure.kind}), progress, tell)
            return
        self._run([*checks.TIMING, *progress.foreign_of("L4")], evidence, options, progress, tell)

    def _wait_for_gpu(self, tell: Listener, say_waiting: Callable[[str], None], *, unseen: bool) -> bool:
        """Until no other program computes on the GPU; whether one did. The candidate's time stands still meanwhile."""
        if self._device != "cuda":
            return False

        def waiting(text: str) -> None:
            say_waiting(text)
            tell("waiting", text)

        asked = time.monotonic()
        waited = Gpu.of(self.machine).wait_until_free(waiting, unseen=unseen)
        self._deadline += time.monotonic() - asked
        if waited:
            say_waiting("")
        return waited

    def _run(
        self,
        wanted: Sequence[AuditCheck],
        evidence: Evidence,
        options: Options,
        progress: Progress,
        tell: Listener,
    ) -> None:
        for check in wanted:
            if check.name in options.off:
                continue
            self._record(check.run(evidence), progress, tell)
            if not self._goes_on(progress, options):
                return

    def _record(self, check: Check, progress: Progress, tell: Listener) -> None:
        progress.checks.append(check)
        tell("check", check)

    def trio(self, candidate: Side, seeds: SeedSource) -> Trio:
        return Trio(self._oracle_side(), self._reference_side(), candidate, seeds)

    def _oracle_side(self) -> Side:
        assert self._oracle is not None, "set_target comes first"
        return self._oracle

    def _reference_side(self) -> Side:
        """The baseline at working precision, kept between audits."""
        if self._reference is None or not self._reference.process.alive():
            self._reference, _ = self.side_of(self.facts.code, "baseline")
        return self._reference

    def _verdict(self, evidence: Evidence, options: Options, progress: Progress) -> Verdict:
        failed, mean = progress.failed, evidence.geomean
        accepted = failed is None and mean is not None and not options.off
        reason = f"{failed.name}: {failed.evidence}" if failed else "every check passed"
        if options.last != "L4" and failed is None:
            reason = f"every check up to {options.last} passed; not timed"
        if options.off and failed is None:
            reason = f"not a verdict to show: checks were off: {', '.join(sorted(options.off))}"
        key = content_id(
            evidence.baseline.id,
            evidence.candidate.id,
            [one.workload.id for one in self.facts.workloads],
            options.policy,
            asdict(self.machine),
            self.facts.trains,
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
            machine=self.machine,
            protections=self.protections,
            trains=self.facts.trains,
            truth=self.facts.truth,
            seeds=evidence.seeds.revealed(),
        )


def blame_candidate(error: ArmError) -> ArmError:
    """The error, if it is the candidate's; a baseline's or oracle's is no verdict and raises JudgeError."""
    if error.side not in ("candidate", ""):
        raise JudgeError(f"the {error.side} failed, so nothing can be compared: {error}") from error
    return error
