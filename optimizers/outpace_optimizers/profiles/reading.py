"""Reads a trace into a Profile. Run as a process of its own: a long trace takes memory that should go with it.

`python -m outpace_optimizers.profiles.reading` takes a request on stdin and answers on stdout, in JSON both.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import math
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from outpace_audit.codec import decode, plain
from outpace_audit.errors import OutpaceError
from outpace_optimizers.profiles import findings
from outpace_optimizers.profiles.attention import attention
from outpace_optimizers.profiles.attribution import Attribution, Sum, attribute
from outpace_optimizers.profiles.breakdown import BreakdownMissing, breakdown
from outpace_optimizers.profiles.code_names import CodeNames, digest_of, forget_files
from outpace_optimizers.profiles.device_use import device_use
from outpace_optimizers.profiles.devices import activities
from outpace_optimizers.profiles.findings import Recorded
from outpace_optimizers.profiles.hosts import BACKWARD, STEP, Event, Hosts, Key, ThreadId, thread_of
from outpace_optimizers.profiles.recomputation import recomputation
from outpace_optimizers.profiles.records import FORMAT, Portion, Profile, Target
from outpace_optimizers.profiles.timeline import timeline
from outpace_optimizers.profiles.trace import TraceError, load

NEGLIGIBLE = 1e-4
"""Of a step: targets below are not listed one by one."""
MOST_PORTIONS = 100
DIFFERS = 2.0
"""Times the median step: one that is longer is another kind of step, or was disturbed."""
STOPPED = 0.5
"""Of the median step: a last one below may be only what followed the last `prof.step()`."""
NO_THREAD = (None, None)
COMPILING = 0.02
"""Of a step: what compiling takes that is said."""
CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict", "OptimizedModule", "DistributedDataParallel"})
"""Modules that only run others."""
SMALL = "targets too small to be listed"
WITHOUT_STACKS = (
    "the trace has no Python stacks: time is given to named regions only; record it with with_stack=True, or with "
    "`outpace profile -- python ...`"
)
WITHOUT_STEPS = "the trace marks no steps (the script does not call prof.step()): all of it counts as one step"


def read_in_child(trace: Path, root: Path, run: Mapping[str, Any]) -> Profile:
    """Raises TraceError."""
    request = json.dumps({"trace": str(trace), "root": str(root), "run": run})
    command = [sys.executable, "-P", "-m", "outpace_optimizers.profiles.reading"]
    done = subprocess.run(command, input=request, capture_output=True, text=True)
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise TraceError(f"{trace}: the process that reads it ended ({last})") from error
    if "error" in answer:
        raise TraceError(answer["error"])
    return decode(Profile, answer)


def read(path: Path, root: Path, run: Mapping[str, Any], *, by_kind: bool = True) -> Profile:
    """`run` is what our recording said of it; empty for other traces. Raises TraceError.

    `by_kind` False leaves out the breakdown by kind of work, which takes longer than all the rest.
    """
    document = load(path)
    events = [event for event in document["traceEvents"] if _is_complete(event)]
    steps, main = _steps(events, int(run.get("complete") or 0))
    start, end = (steps[0]["ts"], _end_of(steps)) if steps else _extent(path, events)
    forget_files()
    hosts = Hosts(events, CodeNames(root, run.get("sys_path") or ()), main)
    recorded = Recorded(hosts, activities(events, hosts.threads), start, end, max(len(steps), 1))
    attribution = attribute(hosts, recorded.activities, start, end, _excess(run) * recorded.steps)
    parts, missing = _by_kind(document, _within(events, start, end)) if by_kind else ((), [])
    profile = Profile(
        format=FORMAT,
        trace=str(path),
        steps=recorded.steps,
        step_s=attribution.total_s / recorded.steps,
        profiled_step_s=recorded.per_step(end - start),
        plain_step_s=_plain_step(run, recorded),
        step_by=f"{run.get('by')} {run.get('of')}" if run.get("by") else "",
        attributed_s=(attribution.total_s - sum(attribution.nobody.values())) / recorded.steps,
        unattributed=(),
        targets=_targets(attribution, recorded, AsProfiled(path, root, run)),
        breakdown=parts,
        run=run,
        notes=(*_of_the_trace(events, steps), *_odd(recorded), *missing),
        timeline=timeline(recorded, steps),
        **_found(recorded),
    )
    return replace(profile, unattributed=_unattributed(profile, attribution))


def _found(recorded: Recorded) -> dict[str, Any]:
    """What the rules read, by the profile's fields."""
    return {
        "kernels": findings.kernels(recorded)[:MOST_PORTIONS],
        "waits": findings.waits(recorded)[:MOST_PORTIONS],
        "copies": findings.copies(recorded)[:MOST_PORTIONS],
        "zeroing": findings.zeroing(recorded),
        "optimizer": findings.optimizer_operators(recorded)[:MOST_PORTIONS],
        "loader": findings.loader(recorded),
        "device": device_use(recorded),
        "attention": attention(recorded)[:MOST_PORTIONS],
        "recomputed": recomputation(recorded),
    }


def _unattributed(profile: Profile, attribution: Attribution) -> tuple[Portion, ...]:
    """What belongs to nobody, and what is of targets that are too small to be listed."""
    nobody = [Portion(name, seconds / profile.steps) for name, seconds in _longest(attribution.nobody)]
    if len(profile.targets) == len(attribution.sums):
        return _few(nobody)
    listed_s = sum(one.own_s for one in profile.targets)
    return (*_few(nobody), Portion(SMALL, profile.attributed_s - listed_s))


def _of_the_trace(events: Sequence[Event], steps: Sequence[Event]) -> Iterator[str]:
    """Words of caution about what it holds."""
    yield from _differing(steps) if steps else [WITHOUT_STEPS]
    if not any(event["cat"] == "python_function" for event in events):
        yield WITHOUT_STACKS


def _by_kind(document: dict[str, Any], events: Sequence[Event]) -> tuple[tuple[Portion, ...], list[str]]:
    """The breakdown by kind of work, or why there is none."""
    try:
        return breakdown(document, events), []
    except BreakdownMissing as error:
        return (), [str(error)]


def _longest(times: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(times.items(), key=lambda pair: -pair[1])


def _plain_step(run: Mapping[str, Any], recorded: Recorded) -> float | None:
    """The mean of a device's steps, which the host runs ahead of; the median of a host's, which others disturb."""
    times = run.get("plain_s")
    if not times:
        return None
    return statistics.fmean(times) if recorded.activities else statistics.median(times)


def _excess(run: Mapping[str, Any]) -> float:
    """What recording adds to a step of the main thread, by that thread's clock; 0 where that is not known."""
    plain, under = run.get("plain_thread_s"), run.get("recorded_thread_s")
    return max(0.0, statistics.median(under) - statistics.median(plain)) if plain and under else 0.0


def _is_complete(event: object) -> bool:
    if not isinstance(event, dict) or event.get("ph") != "X":
        return False
    if not isinstance(event.get("cat"), str) or not isinstance(event.get("name"), str):
        return False
    start, length = event.get("ts"), event.get("dur")
    if not isinstance(start, (int, float)) or not isinstance(length, (int, float)):
        return False
    return math.isfinite(start) and 0 <= length < math.inf


def _steps(events: Sequence[Event], complete: int) -> tuple[list[Event], ThreadId]:
    """The marked steps of the host, in order, and the thread that makes them; `complete`: how many are whole."""
    marks = [e for e in events if e["name"].startswith(STEP) and e["cat"] in ("user_annotation", "cpu_op")]
    marks.sort(key=lambda event: event["ts"])
    if marks:
        main = thread_of(marks[0])
        own = [mark for mark in marks if thread_of(mark) == main]
        return own[:complete] if complete else _whole(own), main
    busiest: dict[ThreadId, float] = {}
    for event in events:
        if event["cat"] in ("cpu_op", "python_function"):
            thread = thread_of(event)
            busiest[thread] = max(busiest.get(thread, 0.0), event["dur"])
    return [], max(busiest, key=lambda thread: busiest[thread], default=NO_THREAD)


def _whole(marks: list[Event]) -> list[Event]:
    """Without the last one, where recording has stopped soon after it began."""
    if len(marks) > 1 and marks[-1]["dur"] < STOPPED * statistics.median(mark["dur"] for mark in marks[:-1]):
        return marks[:-1]
    return marks


def _differing(steps: Sequence[Event]) -> list[str]:
    """A word of caution where steps are not alike: shares are of their mean, which is like none of them."""
    times = sorted(step["dur"] * 1e-3 for step in steps)
    if times[-1] <= DIFFERS * statistics.median(times):
        return []
    note = (
        f"the recorded steps took {times[0]:.3g} to {times[-1]:.3g} ms: some do what others do not (evaluate), or "
        "the machine did something else; shares are of their mean, and --steps records more of them"
    )
    return [note]


def _odd(recorded: Recorded) -> Iterator[str]:
    """Words of caution where the trace is of more, or of something else, than one process's steps."""
    processes = {process for process, _ in recorded.hosts.threads}
    if len(processes) > 1:
        yield (
            f"the trace holds {len(processes)} processes, and the steps of one are read: work on the device may "
            "be given to the wrong one; each rank's own trace says more"
        )
    seconds = findings.compiling_s(recorded)
    length = recorded.per_step(recorded.end - recorded.start)
    if seconds >= COMPILING * length:
        taken = f"{1e3 * seconds:.3g} ms of each recorded step ({100 * seconds / length:.0f}%)"
        yield (
            f"{taken} went into compiling or tuning the script's code: other steps do not; record later ones (--warmup)"
        )


def _extent(path: Path, events: Sequence[Event]) -> tuple[float, float]:
    """Labels end with the recording, and may stand in the trace until it was written: they count where all are."""
    timed = [event for event in events if event["cat"] not in ("Trace", "user_annotation", "gpu_user_annotation")]
    timed = timed or [event for event in events if event["cat"] != "Trace"]
    if not timed:
        raise TraceError(f"{path}: no events that took time: nothing ran while it was recorded; record it again")
    return min(event["ts"] for event in timed), _end_of(timed)


def _end_of(events: Iterable[Event]) -> float:
    return max(event["ts"] + event["dur"] for event in events)


def _within(events: Sequence[Event], start: float, end: float) -> list[Event]:
    return [event for event in events if event["ts"] < end and event["ts"] + event["dur"] > start]


@dataclass(frozen=True)
class AsProfiled:
    """The code as it was when the trace was made."""

    trace: Path
    root: Path
    run: Mapping[str, Any]

    def holds(self, path: str) -> bool:
        """Whether a file is still what ran: by its hash, or where that was not taken, not newer than the trace."""
        file, said = Path(path), self.run.get("files")
        try:
            known = said.get(file.relative_to(self.root.resolve()).as_posix()) if isinstance(said, Mapping) else None
            if known is None:
                return file.stat().st_mtime <= self.trace.stat().st_mtime
            return hashlib.sha256(file.read_bytes()).hexdigest() == known
        except (OSError, ValueError):
            return False

    def digest_of(self, path: str, name: str) -> str | None:
        return digest_of(path, name) if self.holds(path) else None


def _targets(attribution: Attribution, recorded: Recorded, profiled: AsProfiled) -> tuple[Target, ...]:
    calls = _calls(recorded)
    least = NEGLIGIBLE * attribution.total_s
    kept = [(key, found) for key, found in attribution.sums.items() if found.inclusive >= least]
    kept.sort(key=lambda pair: -pair[1].inclusive)
    return tuple(_target(key, found, calls.get(key, 0), recorded, profiled) for key, found in kept)


def _target(key: Key, found: Sum, calls: int, recorded: Recorded, profiled: AsProfiled) -> Target:
    kind, path, name = key
    operators = [Portion(op, seconds / recorded.steps) for op, seconds in _longest(found.operators)[:8]]
    return Target(
        kind=kind,
        name=name,
        seconds=found.inclusive / recorded.steps,
        backward_s=found.backward / recorded.steps,
        own_s=found.own / recorded.steps,
        calls=calls / recorded.steps,
        path=path or None,
        line=recorded.hosts.line_of(key),
        digest=profiled.digest_of(path, name) if path else None,
        around=key in recorded.around or (kind == "module" and name in CONTAINERS),
        operators=tuple(operators),
        host_s=found.host / recorded.steps,
        device_s=found.device / recorded.steps,
    )


def _calls(recorded: Recorded) -> dict[Key, int]:
    """How often each target began within the steps; one that calls itself counts once."""
    counts: dict[Key, int] = {}
    for node in recorded.nodes():
        outer = node.parent.rows if node.parent is not None else ()
        if node.rows and node.rows[-1] not in outer and not node.name.startswith(BACKWARD):
            counts[node.rows[-1]] = counts.get(node.rows[-1], 0) + 1
    return counts


def _few(portions: Sequence[Portion]) -> tuple[Portion, ...]:
    rest = portions[MOST_PORTIONS:]
    more = (Portion(f"{len(rest)} more", sum(one.seconds for one in rest)),) if rest else ()
    return (*portions[:MOST_PORTIONS], *more)


def main() -> None:
    gc.disable()  # nothing that is read goes before the process does, and to look for it takes half of the time
    request = json.loads(sys.stdin.read())
    try:
        with contextlib.redirect_stdout(sys.stderr):  # whatever a library prints is no answer
            profile = read(Path(request["trace"]), Path(request["root"]), request["run"])
        answer: dict[str, Any] = plain(profile)
    except OutpaceError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": f"{request['trace']}: not enough memory to read it; record fewer steps"}
    sys.stdout.write(json.dumps(answer, allow_nan=False))


if __name__ == "__main__":
    main()
