"""Integer outputs that hang on near-ties: routing, top-k, argsort, argmax.

Two correct kernels may select differently where scores differ by less than rounding. A legal answer is one
that the reference itself gives for inputs within rounding distance, so the judge asks the oracle for truths
of slightly perturbed inputs and looks whether one of them makes the candidate's selection.

Vocabulary: a row is a slice over the last dim of an integer output. It is settled where it equals truth's,
contested where not, explained when a perturbed truth has it. A companion is a float output with one row per
row of the integers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from .tie_rows import Layout, is_integer, make_layout

PerturbedTruth = Callable[[float, int], "list[torch.Tensor]"]
"""(scale, seed) -> the lifted reference's outputs for inputs with relative noise of that scale."""

LADDER = tuple(2.0**power for power in range(-23, -6, 2))
"""Noise scales from eps(float32) = 2^-23 to eps(bfloat16) = 2^-7, by factors of four."""

_CLIMB_DRAWS = 8
"""Draws a rung while climbing: a tie within the rung's reach shows at odds of about one half a draw."""

_COARSE_ROWS = 3
"""Rows that only a coarser noise explains: from a rate that left the baseline none, 3 come by chance in few
percent."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """One float output ready for `error_profile`: each side beside the truth of the selection it made.

    Rows are in canonical order where order is free. Unexplained rows hold truth on both sides: they are
    counted instead.
    """

    candidate: torch.Tensor
    candidate_truth: torch.Tensor
    baseline: torch.Tensor
    baseline_truth: torch.Tensor


@dataclass(frozen=True, slots=True)
class TieResult:
    """Counts of rows, for the candidate and for the baseline, over all integer outputs that were judged."""

    passed: bool
    evidence: str
    rows: int = 0
    contested: int = 0
    unexplained: int = 0
    coarse: int = 0
    baseline_contested: int = 0
    baseline_unexplained: int = 0
    scale: float = 0.0
    draws: int = 0
    aligned: dict[int, Aligned] = field(default_factory=dict[int, Aligned])
    """By output index: the float outputs that go with an integer output; all others are compared as they
    are."""


@dataclass(slots=True)
class _Side:
    """One side's integer rows [R, K] and its companions [R, ...] in canonical order, and what is still
    unexplained."""

    rows: torch.Tensor
    companions: dict[int, torch.Tensor]
    truths: dict[int, torch.Tensor]
    pending: torch.Tensor
    """Indices of contested rows that nothing has explained yet."""
    contested: int = 0


class TieJudge:
    """Judges integer outputs against truth; construct once per call of the workload, then `judge` any
    candidate.

    `ordered` says whether the order within a row is part of the answer; None decides by the evidence (see
    `_ordered`).
    """

    def __init__(
        self,
        truth: Sequence[torch.Tensor],
        baseline: Sequence[torch.Tensor],
        perturbed_truth: PerturbedTruth,
        *,
        draws: int = 32,
        ordered: bool | None = None,
    ) -> None:
        self._truth = list(truth)
        self._baseline = list(baseline)
        self._perturbed = perturbed_truth
        self._draws = draws
        self._ordered = ordered

    def judge(self, candidate: Sequence[torch.Tensor]) -> TieResult:
        """Every integer output in turn; floats are aligned with the first integer output whose rows they
        share."""
        for position, (mine, true) in enumerate(zip(candidate, self._truth, strict=True)):
            if mine.shape != true.shape:
                return TieResult(False, f"output {position}: shape {tuple(mine.shape)}, truth {tuple(true.shape)}")
        results: list[TieResult] = []
        taken: set[int] = set()
        for index, true in enumerate(self._truth):
            if is_integer(true) and true.numel():
                result = self._judge_output(index, candidate, taken)
                taken |= result.aligned.keys()
                results.append(result)
        return _combine(results)

    def _judge_output(self, index: int, candidate: Sequence[torch.Tensor], taken: set[int]) -> TieResult:
        layout = make_layout(index, self._truth, self._baseline, taken, self._ordered)
        true_rows, true_floats = layout.split(self._truth)
        base = _side(layout, self._baseline, true_rows, true_floats)
        mine = _side(layout, candidate, true_rows, true_floats)
        search = _Search(layout, self._perturbed, true_rows)
        rung = search.calibrate(base)
        search.explain([mine, base], LADDER[rung], self._draws)
        late = mine.pending.numel()
        if 0 < late <= _COARSE_ROWS:
            for scale in LADDER[rung + 1 :]:
                search.explain([mine], scale, _CLIMB_DRAWS)
        left, base_left = mine.pending.numel(), base.pending.numel()
        passed = left <= base_left
        evidence = (
            f"output {index}: {mine.contested} of {len(true_rows)} rows differ from truth (baseline "
            f"{base.contested}), {left} unexplained (baseline {base_left}) by {search.drawn} draws, "
            f"noise {LADDER[rung]:.2g}"
        )
        return TieResult(
            passed,
            evidence,
            rows=len(true_rows),
            contested=mine.contested,
            unexplained=left,
            coarse=late - left,
            baseline_contested=base.contested,
            baseline_unexplained=base_left,
            scale=LADDER[rung],
            draws=search.drawn,
            aligned=_align(layout, mine, base, self._truth),
        )


def _side(
    layout: Layout,
    outputs: Sequence[torch.Tensor],
    true_rows: torch.Tensor,
    true_floats: dict[int, torch.Tensor],
) -> _Side:
    rows, floats = layout.split(outputs)
    pending = torch.nonzero((rows != true_rows).any(-1)).flatten()
    truths = {i: values.clone() for i, values in true_floats.items()}
    return _Side(rows, floats, truths, pending, pending.numel())


class _Search:
    """Draws perturbed truths, one at a time, and strikes off the rows that they explain."""

    def __init__(self, layout: Layout, perturbed: PerturbedTruth, true_rows: torch.Tensor) -> None:
        self._layout = layout
        self._perturbed = perturbed
        self._true = true_rows
        self.drawn = 0

    def calibrate(self, base: _Side) -> int:
        """The lowest rung after which no coarser one explains more of the baseline's contested rows; 0
        without any."""
        rung, left = 0, base.pending.numel()
        for step, scale in enumerate(LADDER):
            if base.pending.numel() == 0:
                break
            self.explain([base], scale, _CLIMB_DRAWS)
            if base.pending.numel() < left:
                rung, left = step, base.pending.numel()
        return rung

    def explain(self, sides: Sequence[_Side], scale: float, draws: int) -> None:
        """Up to `draws` truths at this scale, while rows are pending on the first of `sides`.

        A row is explained when one draw has the same selection. Long ordered rows hold several independent
        ties, more combinations than draws: there every element must be what some draw has at its place, and a
        row without repeats must stay without.
        """
        places = [_Places(side, self._layout) for side in sides]
        for seed in range(draws):
            if sides[0].pending.numel() == 0:
                return
            rows, floats = self._layout.split(self._perturbed(scale, seed))
            self.drawn += 1
            for side, place in zip(sides, places, strict=True):
                _strike(side, rows, floats)
                if self._layout.ordered and self._layout.width > 1:
                    place.collect(rows, floats)
        if self._layout.ordered and self._layout.width > 1:
            for place in places:
                place.settle(self._true)


def _strike(side: _Side, rows: torch.Tensor, floats: dict[int, torch.Tensor]) -> None:
    hit = (side.rows[side.pending] == rows[side.pending]).all(-1)
    found = side.pending[hit]
    for i, values in floats.items():
        side.truths[i][found] = values[found].to(side.truths[i].dtype)
    side.pending = side.pending[~hit]


class _Places:
    """Element by element: which places of the pending rows some draw explains, and with which companion
    values."""

    def __init__(self, side: _Side, layout: Layout) -> None:
        self._side, self._layout = side, layout
        self._start = side.pending
        self._found = torch.zeros(self._start.numel(), layout.width, dtype=torch.bool)
        self._values = {i: side.truths[i][self._start] for i in layout.permuted}

    def collect(self, rows: torch.Tensor, floats: dict[int, torch.Tensor]) -> None:
        hit = (self._side.rows[self._start] == rows[self._start]) & ~self._found
        self._found |= hit
        for i, values in self._values.items():
            self._values[i] = torch.where(hit, floats[i][self._start].to(values.dtype), values)

    def settle(self, true: torch.Tensor) -> None:
        still = torch.isin(self._start, self._side.pending)
        agrees = self._side.rows[self._start] == true[self._start]
        legal = (self._found | agrees).all(-1) & still
        distinct = _distinct(self._side.rows[self._start]) | ~_distinct(true[self._start])
        done = legal & distinct
        for i, values in self._values.items():
            self._side.truths[i][self._start[done]] = values[done]
        self._side.pending = self._start[still & ~done]


def _distinct(rows: torch.Tensor) -> torch.Tensor:
    return (rows.sort(-1).values.diff(dim=-1) != 0).all(-1)


def _align(layout: Layout, mine: _Side, base: _Side, truth: Sequence[torch.Tensor]) -> dict[int, Aligned]:
    aligned: dict[int, Aligned] = {}
    for i in (*layout.permuted, *layout.followers):
        parts: list[torch.Tensor] = []
        for side in (mine, base):
            values = side.companions[i].clone()
            values[side.pending] = side.truths[i][side.pending].to(values.dtype)
            parts += [values.reshape(truth[i].shape), side.truths[i].reshape(truth[i].shape)]
        aligned[i] = Aligned(*parts)
    return aligned


def _combine(results: Sequence[TieResult]) -> TieResult:
    if len(results) == 1:
        return results[0]
    aligned: dict[int, Aligned] = {}
    for result in results:
        aligned |= result.aligned
    total = {
        name: sum(getattr(result, name) for result in results)
        for name in (
            "rows",
            "contested",
            "unexplained",
            "coarse",
            "baseline_contested",
            "baseline_unexplained",
            "draws",
        )
    }
    return TieResult(
        all(result.passed for result in results),
        "; ".join(result.evidence for result in results) or "no integer outputs",
        scale=max((result.scale for result in results), default=0.0),
        aligned=aligned,
        **total,
    )
