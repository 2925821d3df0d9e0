"""Shared by the numeric checks: tensors against truth within the baseline's own error.

A comparison is gathered over all calls of one workload before it is judged: the baseline's error is the worst of its
calls, because a single number may be right by luck in one of them.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch

from outpace_audit.checks.error_summary import summarise
from outpace_audit.checks.evidence import Observation
from outpace_audit.compare import WIDE_ROUNDINGS, ErrorProfile, bitwise_equal, error_profile, pool, rms, within_budget
from outpace_audit.records import Check, Level
from outpace_audit.sides import LeafView
from outpace_audit.tensors import is_inexact
from outpace_audit.thresholds import CONDITION, ERROR_BUDGET, REDRAWN

UNLIFTED_SLACK = 256.0
"""Where no truth can be had, the baseline stands in for it and the candidate may differ from it by this many roundings
of a wide output type, or four of a narrow one; the verdict says so."""

NOISE = 2.0**-3
"""Of a result's size, what a baseline is off in half of its elements where there is no truth to be had: four times that
is half of the result. (The rotation between two clouds of fewer points than dimensions: what turns the rest is
nobody's.) Types of bf16's three digits commit a thirtieth of it."""

JUMPS = 2.0
"""An error is one jump of truth and what honest rounding adds to it, or two jumps that meet in one element."""

RECURRING, RECURRING_NARROW = 16.0, 2.0
"""Leeway where one value stands in many places: roundings then add up instead of cancelling (a sum of 2,048 equal rows
in one chain was measured at 200), and the median is no smaller than the maximum."""

THRESHOLD = f"every error statistic at most {ERROR_BUDGET:g} x the baseline's own, or the roundings of the output type"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One tensor of one call. Either `problem` is set, or it is `exact`, or both profiles are there to be judged."""

    path: str
    dtype: torch.dtype = torch.float32
    problem: str = ""
    exact: bool = False
    candidate: ErrorProfile | None = None
    baseline: Callable[[], ErrorProfile] | None = None
    conditioning: Callable[[], ErrorProfile | None] = lambda: None
    """How far truth itself moves when the inputs, and each operation's result, move by one rounding of fp32; asked for
    only where it decides."""
    shaken: Callable[[], Sequence[ErrorProfile]] = lambda: ()
    """How far it moves when they move by as much as a candidate may be off: over a kink that lies so near, it jumps."""
    redrawn: Callable[[], Iterator[Comparison | None]] = lambda: iter(())
    """The same tensor in calls with other values; None where a side failed."""
    leeway: float = 1.0
    narrow_leeway: float = 1.0
    """Times the roundings that any kernel may commit in fp32 and wider, and in narrower types."""
    allowance: float = 0.0
    """Set where there is no truth: the largest difference from the baseline."""
    drowned: Callable[[], bool] = lambda: False
    """Whether the baseline's own result is noise in this call; asked for only where it decides."""

    @property
    def is_noise(self) -> bool:
        return self.baseline is not None and self.baseline().q50 >= NOISE


@dataclass(slots=True)
class Tally:
    """All comparisons of one check, by workload and path."""

    name: str
    level: Level
    found: dict[tuple[str, str], list[Comparison]] = field(
        default_factory=lambda: defaultdict[tuple[str, str], list[Comparison]](list)
    )
    elsewhere: Callable[[str], Sequence[ErrorProfile]] = lambda path: ()
    """The baseline's errors in other calls that count as its own, by path; asked for only where they decide."""
    summarised: bool = True

    def add(self, workload: str, comparisons: Iterable[Comparison]) -> None:
        for comparison in comparisons:
            self.found[workload, comparison.path].append(comparison)

    def verdict(self, what: str, same: str = "same bits as the baseline") -> Check:
        """The first failure, or the comparison nearest to its limit; `same` is said where there is none."""
        nearest, shown = 0.0, same
        errors = summarise(self.found) if self.summarised else []
        for (workload, path), comparisons in self.found.items():
            for passed, ratio, text in _judged(comparisons, lambda path=path: self.elsewhere(path)):
                if not passed:
                    return Check(
                        self.name,
                        self.level,
                        False,
                        f"{workload}: {path}: {text}",
                        THRESHOLD,
                        {"ratio": ratio, "errors": errors},
                    )
                if ratio >= nearest and ratio > 0:
                    nearest, shown = ratio, f"{path}: {text}"
        return Check(
            self.name,
            self.level,
            True,
            f"{what}; nearest to the limit: {shown}",
            THRESHOLD,
            {"ratio": nearest, "errors": errors},
        )


def _judged(
    comparisons: list[Comparison], elsewhere: Callable[[], Sequence[ErrorProfile]]
) -> Iterable[tuple[bool, float, str]]:
    """(passed, share of the limit, text) of each call, the baseline's error pooled over all of them."""

    @functools.cache
    def ours() -> ErrorProfile:
        return pool(ErrorProfile(), *(one.baseline() for one in comparisons if one.baseline is not None))

    @functools.cache
    def widened() -> ErrorProfile:
        movements = [moved for one in comparisons if (moved := one.conditioning()) is not None]
        return pool(ours(), *elsewhere(), *(_times(moved, CONDITION / ERROR_BUDGET) for moved in movements))

    for one in comparisons:
        if one.problem:
            yield False, float("inf"), one.problem
        elif one.exact or one.candidate is None:
            yield True, 0.0, "same bits as the baseline"
        elif one.candidate.nonfinite:
            yield (
                False,
                float("inf"),
                f"{one.candidate.nonfinite} values are NaN or infinite where truth is not, or the reverse",
            )
        elif one.baseline is None:
            ratio = one.candidate.max / one.allowance
            yield (
                ratio <= 1,
                ratio,
                f"{one.candidate.max:.1e} off the baseline, no truth to be had (limit {one.allowance:.1e})",
            )
        else:
            found = _within(one, one.candidate, ours())
            if not found[0]:
                found = _within(one, one.candidate, widened())
            if not found[0] and one.drowned():
                yield True, 0.0, "no truth to be had: the baseline's own result is noise"
            else:
                yield found if found[0] else _at_a_kink(one, widened()) or found


def _at_a_kink(one: Comparison, widened: ErrorProfile) -> tuple[bool, float, str] | None:
    """A pass for an error that a discontinuity near these values explains (the side of zero on which a rounding puts
    what goes into a ReLU), if other values show none. Less precision shows with all of them."""
    assert one.candidate is not None, "what is judged by error has one"
    jumps = pool(widened, *(_times(moved, JUMPS / ERROR_BUDGET) for moved in one.shaken()))
    if not _within(one, one.candidate, jumps)[0]:
        return None
    for other in one.redrawn():
        if other is None or other.problem or other.baseline is None:
            continue
        if other.exact or other.candidate is None:
            return True, 0.0, "a kink of truth in one call, same bits as the baseline in another"
        passed, ratio, text = _within(other, other.candidate, pool(widened, other.baseline()))
        if passed and not other.candidate.nonfinite:
            return passed, ratio, f"{text}, after a kink of truth in one call"
    return None


def recurring(comparisons: Iterable[Comparison]) -> list[Comparison]:
    return [replace(one, leeway=RECURRING, narrow_leeway=RECURRING_NARROW) for one in comparisons]


def heeding_noise(
    comparisons: Sequence[Comparison], elsewhere: Callable[[str], Sequence[ErrorProfile]], outputs: Collection[str]
) -> list[Comparison]:
    """One call's, which forgive what they show where the baseline's own results are noise, and not so in its plain
    calls: `elsewhere`, by path. What a result does to the others and to gradients nobody knows; of a gradient that is
    noise that gradient alone."""

    def drowns(one: Comparison) -> bool:
        return one.is_noise and not any(errors.q50 >= NOISE for errors in elsewhere(one.path))

    @functools.cache
    def all_drown() -> bool:
        return any(drowns(one) for one in comparisons if one.path in outputs)

    return [replace(one, drowned=lambda one=one: all_drown() or drowns(one)) for one in comparisons]


def with_redraws(seen: Observation, compare: Callable[[Observation], list[Comparison]]) -> list[Comparison]:
    """The comparisons of one call, each able to ask for those of further draws."""

    @functools.cache
    def redraw(number: int) -> dict[str, Comparison]:
        again = seen.again()
        return {} if again is None else {one.path: one for one in compare(again)}

    def redrawn(path: str) -> Iterator[Comparison | None]:
        return (redraw(number).get(path) for number in range(REDRAWN))

    return [replace(one, redrawn=functools.partial(redrawn, one.path)) for one in compare(seen)]


def _times(profile: ErrorProfile, factor: float) -> ErrorProfile:
    names = ("q50", "q90", "q99", "q999", "max", "row", "channel")
    return replace(profile, **{name: factor * getattr(profile, name) for name in names})


def _within(one: Comparison, theirs: ErrorProfile, ours: ErrorProfile) -> tuple[bool, float, str]:
    budget = within_budget(
        theirs, ours, one.dtype, ERROR_BUDGET, wide=one.leeway * WIDE_ROUNDINGS, narrow=one.narrow_leeway
    )
    mine, allowed = getattr(theirs, budget.which), getattr(ours, budget.which)
    return (
        budget.passed,
        budget.worst_ratio,
        f"error {mine:.2e} ({budget.which}), the baseline's own {allowed:.2e}",
    )


def compare(
    path: str,
    truth: torch.Tensor | None,
    ours: torch.Tensor,
    theirs: torch.Tensor,
    *,
    nudged: Callable[[], torch.Tensor | None] = lambda: None,
    shaken: Callable[[], Sequence[torch.Tensor]] = lambda: (),
    least: float = 0.0,
    vanishes: bool = False,
) -> Comparison:
    """Floating tensors by error against truth, others exactly. `nudged`, `shaken`: see Observation. `vanishes`: rows of
    truth that are zero are measured by the size of all of it."""
    profile = functools.partial(error_profile, empty=rms(truth)) if vanishes and truth is not None else error_profile
    baseline = None
    if truth is not None and is_inexact(ours):
        baseline = functools.cache(functools.partial(profile, ours, truth, ours, least=least))
    if (told := _told_without_truth(path, ours, theirs, baseline)) is not None:
        return told
    if truth is None:
        return _against_the_original(path, ours, theirs)
    candidate = profile(theirs, truth, ours, least=least)
    if baseline is not None and _is_relative_to_nothing(candidate) and _is_relative_to_nothing(baseline()):
        # Rows of zeros, which rounding fills on both sides: nothing is relative to them, but to the rows beside them.
        least = max(least, rms(truth))
        candidate = error_profile(theirs, truth, ours, least=least)
        baseline = functools.partial(error_profile, ours, truth, ours, least=least)

    def conditioning() -> ErrorProfile | None:
        moved = nudged()
        return None if moved is None else profile(moved, truth, least=least)

    return Comparison(
        path,
        theirs.dtype,
        candidate=candidate,
        baseline=baseline,
        conditioning=conditioning,
        shaken=lambda: [profile(moved, truth, least=least) for moved in shaken()],
    )


def _against_the_original(path: str, ours: torch.Tensor, theirs: torch.Tensor) -> Comparison:
    dtype = theirs.dtype
    slack = UNLIFTED_SLACK if dtype.itemsize >= 4 else 4.0
    return Comparison(path, dtype, candidate=error_profile(theirs, ours), allowance=slack * torch.finfo(dtype).eps)


def _told_without_truth(
    path: str, ours: torch.Tensor, theirs: torch.Tensor, baseline: Callable[[], ErrorProfile] | None
) -> Comparison | None:
    """What the two tensors show by themselves: the same bits, another shape or type, other integers."""
    dtype = theirs.dtype
    if bitwise_equal(ours, theirs):
        return Comparison(path, dtype, exact=True, baseline=baseline)
    if ours.shape != theirs.shape or ours.dtype != dtype:
        return Comparison(path, dtype, f"{dtype}{list(theirs.shape)}, the baseline's {ours.dtype}{list(ours.shape)}")
    if not is_inexact(theirs):
        wrong = int((ours != theirs).sum())
        return Comparison(path, dtype, f"{wrong} of {theirs.numel()} values differ from the baseline's")
    return None


def _is_relative_to_nothing(errors: ErrorProfile) -> bool:
    return math.inf in (errors.row, errors.max)


def pairs_of(ours: tuple[LeafView, ...], theirs: tuple[LeafView, ...]) -> list[tuple[LeafView, LeafView]]:
    """Leaves side by side; the contract check has already compared their number and kind."""
    return [(a, b) for a, b in zip(ours, theirs, strict=False) if a.tensor is not None and b.tensor is not None]
