"""A campaign: is training with a candidate's changes better than without? Measured over seeds, in four steps.

The text of the change; the baseline's own spread, which says how many runs an effect needs; screening; and, if that
proves the candidate better, a confirmation on fresh seeds, whose number is the one that is reported. The sides take
turns, each run has a seed of its own, how many runs there are is settled before the first, and a candidate that fails a
check or a run is refused then and there.
"""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from outpace_audit.errors import OutOfResources
from outpace_audit.lease import device_lease
from outpace_audit.records import Check, Machine
from outpace_audit.seeds import draw
from outpace_audit.thresholds import ALPHA
from outpace_optimizers.training import audits, unseen
from outpace_optimizers.training.carried import carried_data
from outpace_optimizers.training.change import NOTHING, Change
from outpace_optimizers.training.clocks import NAME as CLOCK
from outpace_optimizers.training.compiling import set_aside, waited_for, without_compiling
from outpace_optimizers.training.config import FEWEST_RUNS
from outpace_optimizers.training.decoys import decoys, training_decoys
from outpace_optimizers.training.files import Hashes
from outpace_optimizers.training.models import baseline_models, not_run, was_run
from outpace_optimizers.training.notes import notes
from outpace_optimizers.training.outcomes import WORDS
from outpace_optimizers.training.plans import Plan, plan_lines, planned
from outpace_optimizers.training.reading import TrainingError
from outpace_optimizers.training.run import COUNTED, Inside, Runner, RunResult, compiling_nothing, limits_of
from outpace_optimizers.training.store import SIDES, Begun, Ended, KeptRun, Phase, Side, Store, baseline_key, now, turns
from outpace_optimizers.training.taught import NAME as TRAINED_HERE
from outpace_optimizers.training.taught import trained_here
from outpace_optimizers.training.volume import evaluation_volume, training_volume
from outpace_optimizers.training.welch import Comparison, compare
from outpace_optimizers.workspace import Workspace

if TYPE_CHECKING:
    from outpace_optimizers.training.faster import StepComparison

SPREAD_RUNS = 5
"""Of the baseline alone. A standard deviation from five runs may be off by a third."""
SEED_BITS = 31
"""What numpy and most command lines take."""
_BESIDE = {
    "decoy": "beside a shuffled validation text", "shuffled": "on shuffled training text", "counted": "counted",
    "uncompiled": "with nothing compiled",
}  # fmt: skip
TEXT_CHECKS = 4
"""Those that are made before anything runs."""
NO_FILES: Mapping[str, bytes] = MappingProxyType({})

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """`effect` and `runs` win over the target's."""

    effect: float | None = None
    runs: int | None = None
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """`confirmation` carries the number to report; None where it did not come to that. `campaign` is empty where
    nothing was run."""

    plan: Plan | None
    campaign: str
    seeds_root: str
    accepted: bool
    reason: str
    checks: tuple[Check, ...]
    screening: Comparison | None
    confirmation: Comparison | None
    runs: tuple[KeptRun, ...]
    diff: str
    steps: StepComparison | None = None
    """Of a campaign for faster steps: the last phase's."""


class Refused(Exception):  # noqa: N818  # a verdict, no fault
    pass


class Campaign:
    """`tell` hears a line for each thing that happens."""

    def __init__(self, workspace: Workspace, runner: Runner, store: Store, options: Options, tell: Tell) -> None:
        self._root, self._runner, self._store, self._tell = workspace.root.resolve(), runner, store, tell
        self._target = replace(
            runner.target,
            effect=options.effect or runner.target.effect,
            runs=options.runs or runner.target.runs,
        )
        self._fresh = options.fresh
        self._hashes = Hashes()
        self.baseline = baseline_key(self._root, runner.target, self._hashes)
        self.sign = 1 if self._target.direction == "higher" else -1
        self._checks: list[Check] = []
        self._waited_for: tuple[str, ...] | None = None

    def spread(self) -> Plan:
        """Measures the baseline where it is not known, and says what runs can show."""
        here = self._spread_here()
        enough = max(FEWEST_RUNS, min(SPREAD_RUNS, self._target.runs or SPREAD_RUNS))
        for number in range(len(here), enough):
            run = self._run(NOTHING, secrets.randbits(SEED_BITS), here, f"baseline {number + 1} of {enough}")
            self._require_sound(run)
            self._store.add(KeptRun("", self.baseline, "baseline", "spread", number, run))
            here.append(run)
            self._require_honest(here)
        self._require_honest(here)
        for note in notes(here, self._repeated(here), self._target):
            self._tell(note)
        return self._plan(here, ALPHA / (1 + self._store.tried(self.baseline)))

    def _repeated(self, here: Sequence[RunResult]) -> RunResult | None:
        """A run of the baseline with the seed of one that is known, made once; None where it did not finish."""
        known = next((run for run in self._store.spread(self.baseline, "repeat") if run.seed == here[0].seed), None)
        if known is None:
            known = self._run(NOTHING, here[0].seed, here, "baseline, once more")
            self._store.add(KeptRun("", self.baseline, "baseline", "repeat", 0, known))
        return known if known.outcome == "finished" else None

    def compare(self, change: Change) -> Report:
        """Goes on where it was stopped; what has ended is known, unless afresh is asked for."""
        diff = change.diff(self._root)
        self._checks, self._waited_for = self._of_text(change), waited_for(change, self._root)
        failed = next((check for check in self._checks if not check.passed), None)
        if failed is not None:
            return Report(None, "", "", False, _said(failed), tuple(self._checks), None, None, (), diff)
        begun = self._store.begun(self.baseline, change.key)
        plan = self.spread()
        if begun is None or self._fresh:
            begun = self._begin(change, plan)
        elif begun.runs != plan.runs:
            self._tell(f"this campaign was begun with {begun.runs} runs of each side: --fresh begins another")
        self._say_elsewhere(begun)
        plan = self._plan(self._spread_here(), begun.alpha, begun.runs)
        self._say_plan(plan)
        return self._judged(begun, change, plan, diff)

    def _of_text(self, change: Change) -> list[Check]:
        return [
            audits.edited_files(change, self._root, self._target),
            audits.fixed_seeds(change, self._root),
            unseen.validation_copied(change, self._root, self._target.validation),
            carried_data(change, self._root),
        ]

    def look(self, change: Change, seed: int, what: str) -> RunResult:
        """One run, which proves nothing and is not kept."""
        return self._run(change, seed, self._spread_here(), what)

    def _spread_here(self) -> list[RunResult]:
        return [run for run in self._store.spread(self.baseline) if run.machine == platform.node()]

    def _say_elsewhere(self, begun: Begun) -> None:
        others = sorted({one.result.machine for one in self._kept(begun)} - {platform.node()})
        if others:
            self._tell(
                f"a part of this campaign ran on {', '.join(others)}: both sides of a pair had better run on one"
            )

    def _judged(self, begun: Begun, change: Change, plan: Plan, diff: str) -> Report:
        comparisons: list[Comparison] = []
        reason = ""
        try:
            for phase in ("screening", "confirmation"):
                baseline, candidate = self._phase(begun, change, phase)
                comparisons.append(compare(baseline, candidate, self.sign, begun.alpha))
                if not comparisons[-1].proven:
                    raise Refused(f"not proven better in {phase}")
            for check in self._volumes(begun, change):
                self._judge_by(check)
            check, without = self._unseen(begun, change)
            self._judge_by(check)
            comparisons[1] = without or comparisons[1]
            self._judge_by(self._taught(begun, change))
            comparisons[1] = self._uncompiled(begun, change, comparisons[1])
        except Refused as refusal:
            reason = str(refusal)
        if self._store.ended(begun.id) is None:
            self._store.add(Ended(begun.id, not reason, reason, now()))
        runs = tuple(self._kept(begun))
        screening, confirmation = (*comparisons, None, None)[:2]
        checks = tuple(self._checks)
        return Report(plan, begun.id, begun.root, not reason, reason, checks, screening, confirmation, runs, diff)

    def _begin(self, change: Change, plan: Plan) -> Begun:
        root = secrets.token_hex(32)
        key = hashlib.sha256(root.encode()).hexdigest()[:12]
        begun = Begun(key, self.baseline, change.key, root, plan.alpha, plan.runs, now())
        self._store.add(begun)
        return begun

    def _judge_by(self, check: Check) -> None:
        self._checks.append(check)
        if not check.passed:
            raise Refused(_said(check))

    def _volumes(self, begun: Begun, change: Change) -> Iterator[Check]:
        def counted(side: Side, number: int) -> RunResult:
            return self._beside(NO_FILES, begun, change, side, number, "counted")

        seen = [list(self._store.runs(begun.id, "confirmation", side).values()) for side in SIDES]
        yield training_volume(seen[0], seen[1], counted, self._target, self.sign, begun.alpha)
        if self._target.evaluation is None:
            yield evaluation_volume(counted)

    def _uncompiled(self, begun: Begun, change: Change, proven: Comparison) -> Comparison:
        """Where the outside clock's check was set aside: the gain to report is the smaller one."""
        clock = next(check for check in self._checks if check.name == CLOCK)
        if was_run(clock):
            return proven

        def again(side: Side, number: int) -> RunResult:
            return self._beside(NO_FILES, begun, change, side, number, "uncompiled")

        check, found = without_compiling(again, begun.runs, self._target, self.sign, begun.alpha)
        self._checks.remove(clock)
        self._judge_by(check)
        return min(proven, found or proven, key=lambda one: one.gain)

    def _unseen(self, begun: Begun, change: Change) -> tuple[Check, Comparison | None]:
        """Trains beside shuffled validation files, with the confirmation's seeds, and evaluates on the real ones."""
        target = self._target
        if target.evaluation is None or not target.validation:
            return not_run(unseen.NAME, f"no {'validation' if target.evaluation else 'evaluation'} is named"), None
        files = decoys(self._root, target.validation, int(begun.root[:8], 16))
        if not files:
            return not_run(unseen.NAME, "no file of validation is one whose text or tokens can be shuffled"), None

        def beside(side: Side, number: int) -> RunResult:
            return self._beside(files, begun, change, side, number, "decoy")

        seen: dict[Side, list[RunResult]] = {
            side: list(self._store.runs(begun.id, "confirmation", side).values()) for side in SIDES
        }
        return unseen.validation_unseen(seen, beside, self.sign, begun.alpha)

    def _taught(self, begun: Begun, change: Change) -> Check:
        """Trains on shuffled text, and evaluates on the real one."""
        target = self._target
        if not target.model:
            return not_run(TRAINED_HERE, "no model is named")
        files = training_decoys(self._root, target.must_not_change, target.validation, int(begun.root[8:16], 16))
        if not files:
            return not_run(TRAINED_HERE, "no file of must-not-change is one whose text or tokens can be shuffled")

        def beside(side: Side) -> RunResult:
            return self._beside(files, begun, change, side, 0, "shuffled")

        return trained_here(self._store.runs(begun.id, "confirmation", "candidate")[0], beside)

    def _beside(
        self, files: Mapping[str, bytes], begun: Begun, change: Change, side: Side, number: int, phase: Phase
    ) -> RunResult:
        """Kept like other runs. The seed is the confirmation's."""
        done = self._store.runs(begun.id, phase, side)
        if number not in done:
            seed = self._store.runs(begun.id, "confirmation", side)[number].seed
            what = f"{_BESIDE[phase]}: {side} {number + 1}"
            known = [*self._spread_here(), *self._results(begun, "baseline")]
            run = self._run(
                change if side == "candidate" else NOTHING, seed, known, what, files,
                of_validation=phase == "decoy", inside=self._inside(phase),
            )  # fmt: skip
            self._store.add(KeptRun(begun.id, self.baseline, side, phase, number, run))
            return run
        return done[number]

    def _inside(self, phase: Phase) -> Inside | None:
        if phase == "uncompiled":
            return compiling_nothing(self._waited_for or ())
        return COUNTED if phase == "counted" else None

    def _phase(self, begun: Begun, change: Change, phase: Phase) -> tuple[list[float], list[float]]:
        for side, number in turns(begun.runs):
            done = self._store.runs(begun.id, phase, side)
            if number not in done:
                seed = self._seed_of(begun, phase, side, number)
                what = f"{phase}: {side} {number + 1} of {begun.runs}"
                known = [*self._spread_here(), *self._results(begun, "baseline")]
                run = self._run(change if side == "candidate" else NOTHING, seed, known, what)
                self._require_sound(run, side)
                self._store.add(KeptRun(begun.id, self.baseline, side, phase, number, run))
            self._audit(begun)
        values = [[_value(run) for run in self._store.runs(begun.id, phase, side).values()] for side in SIDES]
        return values[0], values[1]

    def _seed_of(self, begun: Begun, phase: Phase, side: Side, number: int) -> int:
        return draw(bytes.fromhex(begun.root), f"{phase}:{side}", number) >> (256 - SEED_BITS)

    def _checks_of(self, baseline: Sequence[RunResult], candidate: Sequence[RunResult]) -> list[Check]:
        return audits.of_runs(baseline, candidate, self._target)

    def _audit(self, begun: Begun) -> None:
        """All finished runs of the candidate so far, also those of an earlier sitting."""
        baseline, candidate = self._results(begun, "baseline"), self._results(begun, "candidate")
        lost = next((run for run in candidate if run.outcome != "finished"), None)
        finished = [run for run in candidate if run.outcome == "finished"]
        found = self._checks_of(baseline, finished) if finished else []
        self._checks[TEXT_CHECKS:] = found if self._waited_for is None else map(set_aside, found)
        failed = next((check for check in self._checks if not check.passed), None)
        if failed is not None:
            raise Refused(_said(failed))
        if lost is not None:
            raise Refused(f"with seed {lost.seed} it {WORDS[lost.outcome][0]}: {lost.reason}")

    def _kept(self, begun: Begun) -> Iterator[KeptRun]:
        for one in self._store.entries:
            if isinstance(one, KeptRun) and one.campaign == begun.id:
                yield one

    def _results(self, begun: Begun, side: Side) -> list[RunResult]:
        return [one.result for one in self._kept(begun) if one.side == side and one.phase not in _BESIDE]

    def _run(
        self, change: Change, seed: int, known: Sequence[RunResult], what: str,
        files: Mapping[str, bytes] = NO_FILES, *, of_validation: bool = True, inside: Inside | None = None,
    ) -> RunResult:  # fmt: skip
        if baseline_key(self._root, self._runner.target, self._hashes) != self.baseline:
            raise TrainingError(
                f"{self._root} has changed since this campaign began: undo that to go on from what was measured, or "
                "start again with the files as they are"
            )
        with device_lease(_this_machine(), "outpace train", self._tell):
            limits = limits_of(self._target, known, of_baseline=change is NOTHING)
            run = self._runner.run(change, seed, limits, files, of_validation=of_validation, inside=inside)
        number = "no metric" if run.value is None else f"{run.value:.6g}"
        end = "" if run.outcome == "finished" else f", {WORDS[run.outcome][0]}: {run.reason}"
        self._tell(f"{what}, seed {seed}: {number} in {run.outside_s:.3g} s{end}")
        return run

    def _require_sound(self, run: RunResult, side: Side = "baseline") -> None:
        if run.outcome == "finished" or (side == "candidate" and run.outcome != "out-of-memory"):
            return
        happened, todo = WORDS[run.outcome]
        text = f"the {side} {happened} with seed {run.seed}: {run.reason}: {todo}"
        raise OutOfResources(text) if run.outcome == "out-of-memory" else TrainingError(text)

    def _require_honest(self, runs: Sequence[RunResult]) -> None:
        """What the baseline itself does is no fraud, but then nothing can be compared."""
        touched = audits.protected_files(runs)
        if not touched.passed:
            raise TrainingError(f"the baseline: {touched.evidence}: name fewer files in must-not-change")
        metric = audits.recomputed_metric(runs, self._target)
        if not metric.passed:
            raise TrainingError(f"the baseline: {metric.evidence}: correct evaluation, or raise its tolerance")
        model = baseline_models(runs, self._target)
        if not model.passed:
            raise TrainingError(f"the baseline: {model.name}: {model.evidence}: correct model, or leave it out")
        seeds = audits.different_seeds(runs)
        if not seeds.passed:
            raise TrainingError(f"the baseline: {seeds.evidence}: name the right flag or variable in seed")

    def _plan(self, runs: Sequence[RunResult], alpha: float, settled: int | None = None) -> Plan:
        run_s = statistics.median(run.outside_s for run in runs)
        return planned([_value(run) for run in runs], run_s, alpha, self._target, settled)

    def _say_plan(self, plan: Plan) -> None:
        for line in plan_lines(plan):
            self._tell(line)


def _value(run: RunResult) -> float:
    assert run.value is not None, "a finished run has one"
    return run.value


def _said(check: Check) -> str:
    return f"{check.level} {check.name}: {check.evidence}"


def _this_machine() -> Machine:
    """The lease asks for the device alone."""
    cores = len(os.sched_getaffinity(0))
    return Machine("cpu", platform.node(), "", "", cores, platform.python_version(), "", None, None, None)
