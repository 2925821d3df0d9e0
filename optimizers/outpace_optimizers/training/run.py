"""One training run: in a tree of its own, watched, and said in a line what it came to."""

from __future__ import annotations

import json
import os
import platform
import secrets
import shutil
import statistics
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

from outpace_audit.codec import decode
from outpace_audit.errors import EnvironmentMissing
from outpace_audit.sandbox import SandboxSpec, scrub_environment
from outpace_audit.work_directory import WorkDirectory
from outpace_optimizers.training.change import Change
from outpace_optimizers.training.config import Given, TrainingTarget
from outpace_optimizers.training.counter import FIELDS, FOLDER
from outpace_optimizers.training.entering import INSIDE
from outpace_optimizers.training.files import COUNTS, SKIPPED, matching
from outpace_optimizers.training.hints import NOT_A_NUMBER, hint, last_line
from outpace_optimizers.training.metric_files import file_points
from outpace_optimizers.training.process import Ended, Hear, execute
from outpace_optimizers.training.reading import Reading
from outpace_optimizers.training.trees import RunTree
from outpace_optimizers.training.uncompiled import MODULES
from outpace_optimizers.training.watch import Outcome, Point, Stop, Watch, busy_s, waited
from outpace_optimizers.workspace import Workspace

PROBE, ENTERING = (Path(__file__).with_name(name) for name in ("probe.py", "entering.py"))
LONGEST_S = 3600.0
"""For the first run of a target whose budget is in steps and that names no time-out."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What the model of a checkpoint answered: `loss` is the mean over all of its tokens, in nats.

    `mean_sum`, `largest_sum`: of the probabilities of the whole vocabulary, over `sums` predictions. `moved`: the
    largest change of a loss where all later tokens changed, at `splits` places. `apart`: the largest change of a row's
    loss where the validation files were others when the model was loaded; None where that was not asked. `alone`: nats
    of a target by its frequency among the targets, which are told by `rows`, and counted in `counts` by remainders.
    """

    loss: float
    mean_sum: float
    largest_sum: float
    sums: int
    moved: float
    splits: int
    apart: float | None = None
    alone: float = 0.0
    rows: str = ""
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """What a run trained on, all of its processes together, as counter.py has it."""

    elements: int
    updates: int
    passes: int
    replays: int
    evaluated: int = 0
    evaluated_last: int = 0


@dataclass(frozen=True, slots=True)
class RunResult:
    """`metric` as printed last, `recomputed` by the evaluation command; times in seconds, `outside_s` by our clock;
    `busy_s` of all processors for a step; `waited` as watch.py has it; `counted` where that was asked."""

    seed: int
    outcome: Outcome
    reason: str
    metric: float | None
    recomputed: float | None
    claimed_s: float | None
    outside_s: float
    curve: tuple[Point, ...]
    touched: tuple[str, ...]
    protections: tuple[str, ...]
    machine: str
    probed: Probed | None = None
    busy_s: float | None = None
    waited: float | None = None
    counted: Counted | None = None

    @property
    def value(self) -> float | None:
        """The recomputed metric where there is one: the printed one is the script's word."""
        return self.metric if self.recomputed is None else self.recomputed


@dataclass(frozen=True, slots=True)
class Inside:
    """A file beside this one that goes into each Python which a run starts, and what it is told there."""

    file: str
    environ: Mapping[str, str]


COUNTED = Inside("counter.py", {FOLDER: COUNTS})


def compiling_nothing(modules: Sequence[str]) -> Inside:
    """And with `modules`, as uncompiled.py names them, imported before the script begins."""
    return Inside("uncompiled.py", {MODULES: " ".join(modules)})


@dataclass(frozen=True, slots=True)
class Limits:
    """`worst` and `usual_s` as in Watch; `time_out_s` by the outside clock."""

    time_out_s: float
    worst: float | None = None
    usual_s: float | None = None


class Runner:
    """Runs of one target, one after the other. A context: its folder goes at the end."""

    def __init__(self, workspace: Workspace, target: TrainingTarget, python: str, *, unsandboxed: bool = False) -> None:
        self._root, self._state, self.target = workspace.root.resolve(), workspace.state, target
        self._python = python
        self._unsandboxed = unsandboxed
        self._protected = matching(self._root, target.must_not_change)
        self._count = 0
        self.overlay = True

    def __enter__(self) -> Runner:
        self._work = WorkDirectory()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._work.remove()

    def run(
        self, change: Change, seed: int, limits: Limits, decoys: Mapping[str, bytes] = MappingProxyType({}),
        *, of_validation: bool = True, inside: Inside | None = None,
    ) -> RunResult:  # fmt: skip
        """`decoys`: files that the run sees in place of the project's, and its evaluation does not; also no history of
        the project. `of_validation`: whether its model is asked beside them, too; where there is something `inside`, it
        is not asked at all.

        Raises TrainingError and EnvironmentMissing where no run can be started.
        """
        target, watch = self.target, Watch(self.target, limits.worst, limits.usual_s, beside_decoy=bool(decoys))
        words, environ = self._told(seed)
        seen = Change({**change.files, **decoys})
        recomputed, probed = None, None
        with self._tree(seen) as tree:
            spec = self._spec(without_history=bool(decoys))
            if inside is not None:
                spec, environ = self._entered(spec, environ, inside)
            command = (*target.command, *words)
            tree, ended = self._attempt(tree, seen, command, environ, watch.feed, limits.time_out_s, spec)
            _read_file(tree, watch, ended)
            found = _judged(ended, watch, limits)
            if found.outcome == "finished" and target.evaluation is not None:
                checkpoint = tree.left(target.evaluation.checkpoint)
                found, recomputed = self._recomputed(found, change, checkpoint, limits)
                if found.outcome == "finished" and target.model and checkpoint is not None and inside is None:
                    asked = decoys if of_validation else {}
                    found, probed = self._probed(found, change, asked, checkpoint, limits)
            counts = _counts(tree.written / COUNTS) if inside is COUNTED else None
            touched = tuple(path for path in tree.touched(target.must_not_change) if path not in decoys)
        metric = watch.points[-1][2] if watch.points else None
        return RunResult(
            seed, found.outcome, found.reason, metric, recomputed, watch.claimed_s, ended.seconds,
            _thinned(watch.points), touched, ended.protections, platform.node(), probed,
            busy_s(watch.points, ended.cpu), waited(watch.points, ended.cpu), counts,
        )  # fmt: skip

    def _entered(
        self, spec: SandboxSpec, environ: dict[str, str], inside: Inside
    ) -> tuple[SandboxSpec, dict[str, str]]:
        folder = self._work.folder / f"with-{inside.file}"
        folder.mkdir(exist_ok=True)
        shutil.copyfile(ENTERING, folder / "sitecustomize.py")
        shutil.copyfile(ENTERING.with_name(inside.file), folder / f"{INSIDE}.py")
        theirs = self.target.environment.get("PYTHONPATH")
        path = os.pathsep.join((str(folder), *([theirs] if theirs else [])))
        return replace(spec, visible=(*spec.visible, str(folder))), {**environ, **inside.environ, "PYTHONPATH": path}

    def _told(self, seed: int) -> tuple[tuple[str, ...], dict[str, str]]:
        budget = self.target.budget
        words = (*_joined(budget.given, budget.number()), *_joined(self.target.seed, seed))
        return words, budget.given.environ(budget.number()) | self.target.seed.environ(seed)

    @contextmanager
    def _tree(self, change: Change) -> Generator[RunTree]:
        self._count += 1
        folder = self._work.folder / f"run-{self._count}"
        tree = RunTree(self._root, folder, change, self._protected, overlay=self.overlay)
        try:
            yield tree
        finally:
            tree.remove()

    def _attempt(
        self, tree: RunTree, change: Change, command: tuple[str, ...], environ: Mapping[str, str],
        hear: Hear, limit_s: float, spec: SandboxSpec,
    ) -> tuple[RunTree, Ended]:  # fmt: skip
        """Falls back to copies of the tree, for good, where no overlay can be mounted."""
        ended = self._execute(tree, command, environ, hear, limit_s, spec)
        if ended is None:
            self.overlay = False
            tree.remove()
            tree = RunTree(self._root, tree.folder, change, self._protected, overlay=False)
            ended = self._execute(tree, command, environ, hear, limit_s, spec)
        if ended is None:
            raise EnvironmentMissing("a run's tree can be neither overlaid nor copied")
        return tree, ended

    def _recomputed(
        self, found: Stop, change: Change, checkpoint: Path | None, limits: Limits
    ) -> tuple[Stop, float | None]:
        """The metric of the run's checkpoint in a fresh tree: evaluation and data are as the project has them."""
        evaluation = self.target.evaluation
        assert evaluation is not None, "asked for where there is one"
        if checkpoint is None:
            return Stop("no-metric", f"it left no checkpoint {evaluation.checkpoint}"), None
        values: list[float] = []
        with self._tree(change) as tree:
            tree.add(evaluation.checkpoint, checkpoint)
            hear = _collector(evaluation.metric, values)
            ended = self._execute(tree, evaluation.command, {}, hear, limits.time_out_s)
        if ended is None or ended.status != "exit status 0" or not values:
            why = "could not start" if ended is None else _last_words(ended)
            return Stop("no-metric", f"the evaluation of its checkpoint gave no metric ({why})"), None
        return found, values[-1]

    def _probed(
        self, found: Stop, change: Change, decoys: Mapping[str, bytes], checkpoint: Path, limits: Limits
    ) -> tuple[Stop, Probed | None]:
        answer = self._asked(change, checkpoint, {"show": False}, limits)
        if isinstance(answer, Stop):
            return answer, None
        probed = decode(Probed, answer)
        if not decoys:
            return found, probed
        shown = self._asked(change, checkpoint, {"show": True}, limits)
        if isinstance(shown, Stop):
            return shown, None
        other = Change({**change.files, **decoys})
        again = self._asked(other, checkpoint, {"rows": shown["rows"]}, limits)
        if isinstance(again, Stop):
            return again, None
        apart = max(abs(one - two) for one, two in zip(shown["means"], again["means"], strict=True))
        return found, replace(probed, apart=apart)

    def _asked(
        self, change: Change, checkpoint: Path, request: Mapping[str, Any], limits: Limits
    ) -> dict[str, Any] | Stop:
        """In a fresh tree. Lines without the secret number are not ours: code of the candidate runs there too."""
        evaluation, nonce = self.target.evaluation, secrets.token_hex(16)
        assert evaluation is not None, "a target with a model has one"
        lines: list[dict[str, Any]] = []

        def hear(line: str, at_s: float) -> Stop | None:
            if nonce in line:
                lines.append(json.loads(line))
            return None

        request = {"entry": self.target.model, "checkpoint": evaluation.checkpoint, "nonce": nonce, **request}
        with self._tree(change) as tree:
            tree.add(evaluation.checkpoint, checkpoint)
            command = ("python", "-c", PROBE.read_text(encoding="utf-8"))
            environ = {"OUTPACE_PROBE": json.dumps(request)}
            ended = self._execute(tree, command, environ, hear, limits.time_out_s)
        if ended is None or ended.status != "exit status 0" or len(lines) != 1:
            why = "could not start" if ended is None else _last_words(ended)
            return Stop("no-losses", f"{self.target.model} gave no losses ({why})")
        return {name: value for name, value in lines[0].items() if name != "probe"}

    def _execute(
        self, tree: RunTree, command: tuple[str, ...], environ: Mapping[str, str], hear: Hear, limit_s: float,
        spec: SandboxSpec | None = None,
    ) -> Ended | None:  # fmt: skip
        environ = self._environ(environ)
        words = (self._python, *command[1:]) if command[0] in ("python", "python3") else command
        spec = spec or self._spec()
        return execute(self._work, tree, spec, words, environ, hear, limit_s, self._own_environment())

    def _own_environment(self) -> str:
        """The top folder below the root that holds the interpreter and is left out of copies, such as `.venv`."""
        python = Path(self._python)
        first = python.relative_to(self._root).parts[0] if python.is_relative_to(self._root) else ""
        return first if first in SKIPPED else ""

    def _spec(self, *, without_history: bool = False) -> SandboxSpec:
        visible = (str(Path(self._python).parent.parent),)
        history = (str(self._root / ".git/objects"),) if without_history else ()
        hidden = (str(self._state), *(path for path in history if Path(path).is_dir()))
        return SandboxSpec(hidden=hidden, visible=visible, required=not self._unsandboxed, loopback=True)

    def _environ(self, more: Mapping[str, str]) -> dict[str, str]:
        environ = scrub_environment({"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"})
        if "OPENBLAS_NUM_THREADS" not in os.environ:
            del environ["OPENBLAS_NUM_THREADS"]  # set for arms, which are forked
        environ["PATH"] = os.pathsep.join((str(Path(self._python).parent), environ["PATH"]))
        return environ | dict(self.target.environment) | dict(more)


def _joined(given: Given, number: float) -> tuple[str, ...]:
    """`--seed 3`, or `--seed=3` for a flag that ends with `=`."""
    words = given.words(number)
    return ("".join(words),) if given.flag.endswith("=") else words


def _collector(metric: Reading, values: list[float]) -> Hear:
    def hear(line: str, at_s: float) -> Stop | None:
        if (value := metric.value(line)) is not None:
            values.append(value)
        return None

    return hear


def _counts(folder: Path) -> Counted:
    """Links are not followed: the folder is the run's."""
    files = [one for one in folder.glob("*-*") if one.is_file() and not one.is_symlink()]
    found = [FIELDS.unpack(data) for file in files if len(data := file.read_bytes()) == FIELDS.size]
    return Counted(*map(sum, zip(*found, strict=True))) if found else Counted(0, 0, 0, 0)


def _read_file(tree: RunTree, watch: Watch, ended: Ended) -> None:
    """What would have ended the run ends the reading: the last point says why."""
    if watch.target.metric.file and ended.stop is None:
        points = file_points(tree, watch.target.metric)
        watch.stopped = next((stop for point in points if (stop := watch.take(*point, ended.seconds))), None)


def _judged(ended: Ended, watch: Watch, limits: Limits) -> Stop:
    if ended.stop is not None:
        return ended.stop
    if ended.status != "exit status 0":
        words = _last_words(ended)
        if "out of memory" in ended.status:
            return Stop("out-of-memory", words)
        return Stop("diverged" if NOT_A_NUMBER.search(words) else "crashed", words)
    if watch.stopped is not None:
        return watch.stopped
    if not watch.points:
        last = ended.tail.rstrip().rpartition("\n")[2][:200] or "nothing at all"
        if unread := next(
            (found for line in ended.tail.splitlines() if (found := watch.target.metric.unread(line))), ""
        ):
            text = f"what metric ({watch.target.metric}) finds is {unread[:80]!r}, which is no number"
            return Stop("no-metric", f"{text}: have its group match the digits alone, without a unit")
        did, metric = "wrote" if watch.target.metric.file else "printed", watch.target.metric
        return Stop("no-metric", f"nothing that it {did} matches metric ({metric}); the last line is {last!r}")
    if watch.target.time is not None and watch.claimed_s is None:
        return Stop("no-metric", f"nothing that it printed matches time ({watch.target.time})")
    return Stop("finished", "")


def _last_words(ended: Ended) -> str:
    words = last_line(ended.tail)[:300] or "it printed nothing"
    return f"{ended.status}: {words}{hint(words)}"


def _thinned(points: list[Point], most: int = 500) -> tuple[Point, ...]:
    """Evenly, with the last."""
    every = -(-len(points) // most)
    return tuple(points[::-1][::every][::-1]) if every > 1 else tuple(points)


def limits_of(target: TrainingTarget, known: Sequence[RunResult], *, of_baseline: bool) -> Limits:
    """By the baseline's finished runs so far. The baseline is what it is, however its metric goes up and down."""
    if not known:
        return Limits(_time_out(target, None))
    times = [run.outside_s for run in known]
    values = [value for run in known for _, _, value in run.curve]
    judges = not of_baseline and all(len(run.curve) > 2 for run in known)
    worst = (max if target.direction == "lower" else min)(values) if judges else None
    return Limits(_time_out(target, max(times)), worst, statistics.median(times))


def _time_out(target: TrainingTarget, longest_s: float | None) -> float:
    """Three times what the baseline took and a start; before that is known, by the budget."""
    if target.time_out_s is not None:
        return target.time_out_s
    if longest_s is not None:
        return 3 * longest_s + 30.0
    return 2 * target.budget.amount + 300.0 if target.budget.unit == "seconds" else LONGEST_S
