"""Totals of a result file of sol_execbench.py, from its raw samples alone.

    python benchmarks/sol_score.py results/h200/sol_execbench.json

T of each arm is told against eager, which was timed beside every one of them in the same windows. T_b is, workload by
workload, the best of eager and of all compile modes that gave right results. T of a problem without an offer is
eager's. Where no floor is known it is 0.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OFFER = "offer"
"""The arm that is ours."""
CONTROL = "eager again"
"""The reference beside itself: what differs is noise. Every other arm is a mode of torch.compile."""
NEAR_FLOOR = 1.25
"""Times the floor: what is left is within what rooflines of real kernels miss."""
SLOWER = 0.98
"""Of eager's speed in one workload: WORST_WORKLOAD of the audit."""
SMALL_OVERHEAD = 0.5
"""As in outpace_audit.samples: at most this share of a window is taken off for the harness."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One workload. Seconds a call; `floor` is 0 where none is known. `faster`: eager's time over the offer's, in the
    same windows, also where both were timed otherwise than eager alone can be."""

    label: str
    eager: float
    arms: Mapping[str, float]
    floor: float
    faster: float = 1.0

    @property
    def best_mode(self) -> str:
        """The arm of T_b."""
        times = {"eager": self.eager, **{name: t for name, t in self.arms.items() if name != OFFER}}
        return min(times, key=times.__getitem__)

    @property
    def t_b(self) -> float:
        return min([self.eager, *(t for name, t in self.arms.items() if name != OFFER)])

    @property
    def offered(self) -> bool:
        return OFFER in self.arms

    def t_ours(self) -> float:
        return self.arms.get(OFFER, self.eager)

    def score(self) -> float:
        return score(self.t_ours(), self.t_b, self.floor)


@dataclass(frozen=True, slots=True)
class Problem:
    key: str
    record: Mapping[str, Any]
    timed: tuple[Timed, ...]
    """Nothing where it was not measured to the end."""

    @property
    def group(self) -> str:
        return self.key.rpartition("/")[0] or "."

    @property
    def offered(self) -> bool:
        return bool(self.timed) and all(one.offered for one in self.timed)

    def score(self) -> float:
        """The mean over workloads; above 1, which says that the floor or the offer is wrong, it counts as 1."""
        return sum(min(1.0, one.score()) for one in self.timed) / len(self.timed) if self.timed else 0.0

    def over_best(self) -> float:
        """T_b / T of ours, the geometric mean over workloads."""
        return geometric([one.t_b / one.t_ours() for one in self.timed])

    def over_eager(self) -> float:
        return geometric([one.faster for one in self.timed])

    def under_own_tolerance(self) -> Problem:
        """The same, where an offer that breaks a workload's own tolerance is none."""
        if not self.offered or offer_keeps_tolerance(self.record):
            return self
        without = [Timed(one.label, one.eager, _without(one.arms), one.floor) for one in self.timed]
        return Problem(self.key, self.record, tuple(without))


def _without(arms: Mapping[str, float]) -> dict[str, float]:
    return {name: t for name, t in arms.items() if name != OFFER}


def score(t_k: float, t_b: float, t_sol: float) -> float:
    """1 / (1 + (T_k - T_SOL) / (T_b - T_SOL)); SOL-ExecBench, arXiv 2603.19173. Not clipped."""
    if t_b <= t_sol:
        return 1.0 if t_k <= t_sol else 0.0
    below = 1 + (t_k - t_sol) / (t_b - t_sol)
    return 1 / below if below > 0 else math.inf


def geometric(values: Sequence[float]) -> float:
    return math.exp(math.fsum(map(math.log, values)) / len(values)) if values else math.nan


def problems_of(document: Mapping[str, Any]) -> list[Problem]:
    return [Problem(key, record, timed_of(record)) for key, record in sorted(document["problems"].items())]


def timed_of(record: Mapping[str, Any]) -> tuple[Timed, ...]:
    """Of a record that was measured to the end; else nothing."""
    if record["state"] != "finished":
        return ()
    arms = {name: arm for name, arm in record["arms"].items() if name != CONTROL and counts(arm)}
    samples = [sample for arm in record["arms"].values() for look in arm for sample in look["samples"]]
    floors = {one["workload"]: one["seconds"] for one in record.get("floor", ())}
    return tuple(_timed(label, arms, samples, floors.get(label, 0.0)) for label in record["workloads"])


def counts(looks: Sequence[Mapping[str, Any]]) -> bool:
    """An arm that was ever wrong does not count; one that was slow to compile once, before its kernels were kept,
    does."""
    good = [look for look in looks if not look["failure"]]
    return 2 * len(good) > len(looks) and not any(look["failure"].startswith("wrong") for look in looks)


def _timed(label: str, arms: Mapping[str, Any], samples: Iterable[Mapping[str, Any]], floor: float) -> Timed:
    eager: dict[str, list[float]] = {}
    for sample in samples:
        if sample["workload"] == label:
            eager.setdefault(sample["mode"], []).append(_seconds(sample)[0])
    by_mode = {mode: median(seconds) for mode, seconds in eager.items()}
    mine = {
        name: [s for look in looks for s in look["samples"] if s["workload"] == label] for name, looks in arms.items()
    }
    found = {
        name: geometric([by_mode[s["mode"]] * math.exp(-log_ratio(s)) for s in seen]) for name, seen in mine.items()
    }
    faster = geometric([math.exp(log_ratio(s)) for s in mine[OFFER]]) if OFFER in mine else 1.0
    return Timed(label, by_mode.get("graph", by_mode.get("as-called", math.nan)), found, floor, faster)


def _per_call(sample: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Seconds of eager and of the arm in each window, the harness taken off."""
    return [(_net(eager, sample, 0), _net(arm, sample, 1)) for eager, arm in sample["seconds"]]


def _net(measured: float, sample: Mapping[str, Any], side: int) -> float:
    return (measured - min(sample["harness"][side], measured * SMALL_OVERHEAD)) / sample["calls"][side]


def log_ratio(sample: Mapping[str, Any]) -> float:
    """Above 0 where the arm is faster than eager: the median over windows."""
    return median([math.log(eager / arm) for eager, arm in _per_call(sample)])


def _seconds(sample: Mapping[str, Any]) -> tuple[float, float]:
    windows = _per_call(sample)
    return median([eager for eager, _ in windows]), median([arm for _, arm in windows])


def median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def offer_keeps_tolerance(record: Mapping[str, Any]) -> bool:
    """In all its looks, on every workload."""
    looks = record["arms"].get(OFFER, ())
    return all(match["passed"] for look in looks for match in look["matches"])


def held_back(problem: Problem) -> str:
    """The first of these that is so."""
    record = problem.record
    if record["state"] != "finished":
        return {"unrunnable": "cannot run here", "timeout": "failed: out of time"}.get(record["state"], "failed")
    if all(one.floor and one.t_ours() <= NEAR_FLOOR * one.floor for one in problem.timed):
        return "near the floor"
    if not problem.offered:
        return _why_no_offer(record)
    if problem.over_best() < 1:
        return "offered, not faster than torch.compile"
    if problem.over_best() < 1.05:
        return "offered, no faster than torch.compile by 5%"
    return "offered, faster than torch.compile"


def _why_no_offer(record: Mapping[str, Any]) -> str:
    if any(trial["accepted"] for trial in record["trials"]):
        return "the offer failed when it was timed again"
    if record["ending"] == "time":
        return "out of time"
    if not record["trials"]:
        return "no idea" if not record["unjudged"] else "ideas not judged"
    checks = Counter(trial["reason"].partition(":")[0] for trial in record["trials"])
    return f"rejected by {' and '.join(sorted(checks))}"


def totals(document: Mapping[str, Any]) -> dict[str, Any]:
    problems = problems_of(document)
    groups = sorted({problem.group for problem in problems})
    return {
        "all": _totals(problems),
        **{group: _totals([one for one in problems if one.group == group]) for group in groups},
    }


def _totals(problems: Sequence[Problem]) -> dict[str, Any]:
    timed = [one for one in problems if one.timed]
    runnable = [one for one in problems if one.record["state"] != "unrunnable"]
    own = [one.under_own_tolerance() for one in runnable]
    workloads = [one for problem in timed for one in problem.timed]
    offers = [one for one in timed if one.offered]
    return {
        "problems": len(problems),
        "unrunnable": len(problems) - len(runnable),
        "failed": len(runnable) - len(timed),
        "measured": len(timed),
        "workloads": len(workloads),
        "offers": len(offers),
        "offers_that_break_their_own_tolerance": sum(not offer_keeps_tolerance(one.record) for one in offers),
        "offers_slower_than_the_users_code": sum(one.over_eager() < 1 for one in offers),
        "offers_slower_in_a_workload": sum(any(w.faster < SLOWER for w in one.timed) for one in offers),
        "mean_score_of_all": _mean([one.score() for one in problems]),
        "mean_score_of_runnable": _mean([one.score() for one in runnable]),
        "mean_score_of_runnable_under_own_tolerance": _mean([one.score() for one in own]),
        "mean_score_of_measured": _mean([one.score() for one in timed]),
        "over_best_mode": geometric([one.over_best() for one in timed]),
        "over_best_mode_where_offered": geometric([one.over_best() for one in offers]),
        "over_best_mode_under_own_tolerance": geometric([one.over_best() for one in own if one.timed]),
        "over_eager": geometric([one.over_eager() for one in timed]),
        "best_mode_over_eager": geometric([w.eager / w.t_b for w in workloads]),
        "workloads_without_floor": sum(not w.floor for w in workloads),
        "eager_beside_itself_off_by": max(_control_errors(timed), default=math.nan),
        "workloads_above_one": sum(w.score() > 1 for w in workloads),
        "t_b_over_floor": geometric([w.t_b / w.floor for w in workloads if w.floor]),
        "best_modes": dict(Counter(w.best_mode for w in workloads)),
        "over_60_s": sum(one.record["optimize_s"] > 60 for one in timed),
    }


def _control_errors(problems: Sequence[Problem]) -> Iterator[float]:
    for problem in problems:
        for look in problem.record["arms"].get(CONTROL, ()):
            yield from (math.exp(abs(log_ratio(sample))) - 1 for sample in look["samples"])


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def merged(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One result of several parts that were made alike. Of a problem that two have, the one that was finished, else the
    last. Raises ValueError."""
    settings = [document["settings"] for document in documents]
    if any(one != settings[0] for one in settings):
        raise ValueError("the files were made with different settings: merge those that were made alike")
    found: dict[str, Any] = {**documents[0], "machines": {}, "ceilings": {}, "problems": {}}
    for document in documents:
        for part in ("machines", "ceilings"):
            found[part] |= document[part]
        for key, record in document["problems"].items():
            if found["problems"].get(key, {}).get("state") != "finished":
                found["problems"][key] = record
    return found


def table(document: Mapping[str, Any]) -> str:
    """Every problem in a line, what holds them back, and totals by group."""
    problems = problems_of(document)
    lines = [f"{'problem':72} {'offer':>6} {'T_b/T':>6} {'/eager':>6} {'score':>6} {'T/floor':>8}  what holds it back"]
    lines += map(_line, problems)
    lines += ["", *(f"{n:4}  {what}" for what, n in Counter(map(held_back, problems)).most_common()), ""]
    for name, group in totals(document).items():
        lines.append(f"{name}: " + ", ".join(f"{key} {_shown(value)}" for key, value in group.items()))
    return "\n".join(lines)


def _line(problem: Problem) -> str:
    if not problem.timed:
        said = " ".join(str(problem.record.get("error") or "").split())[:160]
        return f"{problem.key:72} {'-':>6} {'-':>6} {'-':>6} {0:6.3f} {'-':>8}  {held_back(problem)}: {said}"
    offer = "yes" if problem.offered else "no"
    floors = [one.t_ours() / one.floor for one in problem.timed if one.floor]
    return (
        f"{problem.key:72} {offer:>6} {problem.over_best():6.2f} {problem.over_eager():6.2f} "
        f"{problem.score():6.3f} {geometric(floors):8.1f}  {held_back(problem)}"
    )


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(table(json.loads(Path(sys.argv[1]).read_text())))


if __name__ == "__main__":
    main()
