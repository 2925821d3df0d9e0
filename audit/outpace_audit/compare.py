"""Errors against truth, and whether a candidate's are within what the baseline itself commits.

All functions take CPU tensors, decoded from raw bytes by the judge. Errors are relative to
max(|truth_i|, rms of truth over its last-dim row): an element that cancels to nearly nothing is measured by
its row, and a row of one element by the lower quartile of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import torch

QUANTILES = (0.5, 0.9, 0.99, 0.999)
_CHUNK = 1 << 20
"""Elements at a time: fp64 scratch of 8 MB a temporary stays in cache."""

_SHIFT = 13
_BINS = 1 << (31 - _SHIFT)
"""Errors are histogrammed by their upper 18 fp32 bits: quantiles are exact to 1 part in 1,024, at any size,
in one pass."""

WIDE_ROUNDINGS = 256.0
"""Roundings of fp32 and fp64 that any kernel may commit. PyTorch's eager sums are pairwise and seldom off by more than
2; honest kernels that add a column in one chain, or recompute a softmax in the backward pass, were measured at 20
(inductor's bias gradient over 1,024 rows) and at 36 in the median (fused attention's bias gradient, compiled, on
scaled inputs). TF32, the next narrower format, commits (emulated, on products) about 1,400 in the median."""

_LOWER = 0.25
"""Rows of one element that cancel are the few least of them, and their errors, of a baseline too, are without bound:
the largest says nothing. Rows that are meant to be quiet (`uneven`: half of them) lie at the lower quartile."""

_TINY = 1e-300
"""Keeps 0/0 out of all-zero rows: an error there, however small, is then enormous, as it should be."""


@dataclass(frozen=True, slots=True)
class ErrorProfile:
    """Statistics of relative errors over n elements (truncated to 1 part in 1,024 for the quantiles).

    `row` and `channel` are the worst root mean square over a last-dim row and over one index of the last dim.
    `wrong` counts elements with any error, `nonfinite` those whose NaN or infinity is not the expected one.
    """

    q50: float = 0.0
    q90: float = 0.0
    q99: float = 0.0
    q999: float = 0.0
    max: float = 0.0
    row: float = 0.0
    channel: float = 0.0
    n: int = 0
    wrong: int = 0
    nonfinite: int = 0


@dataclass(frozen=True, slots=True)
class Budget:
    """`worst_ratio` is the largest statistic / its allowance, and `which` names that statistic; above 1
    fails."""

    passed: bool
    worst_ratio: float
    which: str
    threshold: str


def error_profile(
    value: torch.Tensor,
    truth: torch.Tensor,
    baseline: torch.Tensor | None = None,
    *,
    least: float = 0.0,
    empty: float = 0.0,
) -> ErrorProfile:
    """Errors of `value` against `truth` (same shape), relative to at least `least` (see `zero_scales`), and to `empty`
    in rows of which truth is zero throughout.

    Where truth is NaN or +-inf, `value` must be the same kind, and finite where it is finite.
    Where `baseline` has another kind than truth (fp16 overflow, a guarded division), either kind is right.
    """
    if value.shape != truth.shape:
        raise ValueError(f"shapes differ: {tuple(value.shape)} and {tuple(truth.shape)}")
    if truth.numel() == 0:
        return ErrorProfile()
    value, truth = _real(value), _real(truth)
    baseline = _real(baseline) if baseline is not None else None
    columns = truth.shape[-1] if truth.dim() > 1 else truth.numel()
    if columns == 1 < truth.numel():
        least = max(least, _lower_quartile(truth))
    tally = _Tally(columns, max(least, _TINY), empty)
    flat = (truth.reshape(-1, columns), value.reshape(-1, columns))
    third = baseline.reshape(-1, columns) if baseline is not None else None
    for rows in _row_chunks(flat[0].shape[0], columns):
        tally.add(flat[1][rows], flat[0][rows], third[rows] if third is not None else None)
    return tally.profile()


def _real(tensor: torch.Tensor) -> torch.Tensor:
    """Complex numbers as [..., 2] reals, fp8 as fp32; other types unchanged."""
    if tensor.is_complex():
        pairs = torch.view_as_real(tensor.resolve_conj())
        return pairs.flatten(-2) if tensor.dim() else pairs
    quantised = tensor.dtype.is_floating_point and tensor.dtype.itemsize == 1
    return tensor.to(torch.float32) if quantised else tensor


def _lower_quartile(truth: torch.Tensor) -> float:
    sizes = truth[torch.isfinite(truth)].double().abs()
    return float(sizes.kthvalue(max(1, int(_LOWER * sizes.numel())))[0]) if sizes.numel() else 0.0


def _row_chunks(rows: int, columns: int) -> Iterator[slice]:
    step = max(1, _CHUNK // columns)
    for start in range(0, rows, step):
        yield slice(start, start + step)


def _kind(tensor: torch.Tensor) -> torch.Tensor:
    """0 finite, 1 +inf, 2 -inf, 3 NaN."""
    plus, minus, nan = torch.isposinf(tensor), torch.isneginf(tensor), torch.isnan(tensor)
    return plus.to(torch.int8) + 2 * minus.to(torch.int8) + 3 * nan.to(torch.int8)


class _Tally:
    """Running histogram, maxima and sums of squares over chunks of rows."""

    def __init__(self, columns: int, least: float, empty: float) -> None:
        self.least, self.empty = least, empty
        self.counts = torch.zeros(_BINS, dtype=torch.int64)
        self.squares = torch.zeros(columns, dtype=torch.float64)
        self.rows = self.n = self.wrong = self.nonfinite = 0
        self.max = self.row = 0.0

    def add(self, value: torch.Tensor, truth: torch.Tensor, baseline: torch.Tensor | None) -> None:
        value, truth = value.to(torch.float64), truth.to(torch.float64)
        finite = torch.isfinite(truth)
        if not bool(finite.all() and torch.isfinite(value).all()):
            self._add_nonfinite(value, truth, baseline)
            both = finite & torch.isfinite(value)
            value = torch.where(both, value, 0.0)
            truth = torch.where(finite, truth, 0.0)
            error = torch.where(both, (value - truth).abs(), 0.0)
        else:
            error = (value - truth).abs_()
        rms = truth.square().sum(-1, keepdim=True).div_(finite.sum(-1, keepdim=True).clamp_(min=1)).sqrt_()
        sizes = torch.maximum(truth.abs(), rms.masked_fill_(rms == 0, self.empty))
        error /= sizes.clamp_(min=self.least)
        squares = error.square()
        self.row = max(self.row, float(squares.mean(-1).max().sqrt()))
        self.squares += squares.sum(0)
        self.max = max(self.max, float(error.max()))
        self.rows += error.shape[0]
        self.n += error.numel()
        self.wrong += int(torch.count_nonzero(error))
        bits = error.to(torch.float32).view(torch.int32).bitwise_right_shift_(_SHIFT)
        self.counts += torch.bincount(bits.reshape(-1), minlength=_BINS)

    def _add_nonfinite(self, value: torch.Tensor, truth: torch.Tensor, baseline: torch.Tensor | None) -> None:
        kind = _kind(value)
        right = kind == _kind(truth)
        if baseline is not None:
            right |= kind == _kind(baseline.to(torch.float64))
        self.nonfinite += int(torch.count_nonzero(~right))

    def profile(self) -> ErrorProfile:
        below = self.counts.cumsum(0)
        ranks = torch.tensor([min(self.n, int(q * self.n) + 1) for q in QUANTILES])
        bins = torch.searchsorted(below, ranks).to(torch.int32)
        q50, q90, q99, q999 = (bins << _SHIFT).view(torch.float32).tolist()
        channel = float((self.squares / self.rows).max().sqrt())
        return ErrorProfile(q50, q90, q99, q999, self.max, self.row, channel, self.n, self.wrong, self.nonfinite)


def zero_scales(truths: Sequence[torch.Tensor]) -> list[float]:
    """`least` for each of the outputs or gradients of one call: the largest rms among them where truth is
    zero.

    A key bias under softmax, or a bias before batch normalisation, has a gradient that is zero up to fp64
    rounding (below 1e-10 of the others'). Its relative error is noise over noise; against the others' size it
    means something.
    """
    sizes = [rms(truth) for truth in truths]
    largest = max(sizes, default=0.0)
    return [largest if size < 1e-10 * largest else 0.0 for size in sizes]


def rms(tensor: torch.Tensor) -> float:
    """Root mean square of the finite elements, 0 where there are none."""
    finite = torch.nan_to_num(_real(tensor).double(), 0.0, 0.0, 0.0)
    return float(finite.square().mean().sqrt()) if tensor.numel() else 0.0


def pool(*profiles: ErrorProfile) -> ErrorProfile:
    """The worst of each statistic over several calls; counts add up.

    A scalar loss may be right by luck in one call, and then no honest candidate fits into four times its
    error: give `within_budget` the pool over all of a check's seeds, on both sides.
    """
    counted = {"n", "wrong", "nonfinite"}
    combined = {
        field.name: (sum if field.name in counted else max)(getattr(each, field.name) for each in profiles)
        for field in fields(ErrorProfile)
    }
    return ErrorProfile(**combined)


def within_budget(
    candidate: ErrorProfile,
    baseline: ErrorProfile,
    dtype: torch.dtype,
    k: float = 4.0,
    *,
    wide: float = WIDE_ROUNDINGS,
    narrow: float = 1.0,
) -> Budget:
    """Each statistic at most max(k * baseline's, floor); floor = roundings * eps(dtype) for maxima and rms,
    half of it for quantiles.

    Why k = 4: two honest orders of the same sums differ in error by a factor that seldom reaches 2 (the error
    of a sum grows with the square root of the length of its chains), while one step down in format costs 8
    (fp16 to bf16, fp32 to TF32: 8192; bf16 to e4m3: 16). 4 is the geometric mean of 2 and 8. The floor is what
    an honest kernel may commit whatever the baseline's luck: `narrow` roundings of a narrow output type, and
    `wide` of a wide one. It also serves baselines with no error at all (copies, gathers). fp8 outputs are
    quantised in truth too, so an honest error is a whole step or none:
    there the number of wrong elements is bounded instead of the quantiles.
    """
    eps = torch.finfo(dtype).eps
    quantised = dtype.itemsize == 1
    roundings = wide if dtype.itemsize >= 4 else narrow
    ratios: dict[str, float] = {}
    for name in ("q50", "q90", "q99", "q999", "max", "row", "channel"):
        if quantised and name not in ("max", "row"):
            continue
        floor = roundings * (eps / 2 if name.startswith("q") else eps)
        ratios[name] = getattr(candidate, name) / max(k * getattr(baseline, name), floor)
    if quantised:
        ratios["wrong"] = candidate.wrong / max(k * baseline.wrong, 4 + 1e-3 * candidate.n)
    if candidate.nonfinite:
        ratios["nonfinite"] = float("inf")
    which = max(ratios, key=lambda name: ratios[name] if ratios[name] == ratios[name] else float("inf"))
    worst = ratios[which]
    name = str(dtype).removeprefix("torch.")
    text = f"error <= max({k:g} x baseline's, {roundings:g} x {eps:.3g} (eps of {name}; half for quantiles))"
    return Budget(worst <= 1.0, worst, which, text)


def bitwise_mismatches(a: torch.Tensor, b: torch.Tensor) -> int:
    """Elements whose bits differ. Any NaN equals any NaN; -0.0 differs from 0.0. Shapes and dtypes must
    agree."""
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError(f"{a.dtype}{tuple(a.shape)} and {b.dtype}{tuple(b.shape)}")
    if a.is_complex():
        return bitwise_mismatches(torch.view_as_real(a), torch.view_as_real(b))
    if not a.dtype.is_floating_point:
        return int(torch.count_nonzero(a != b))
    whole = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[a.dtype.itemsize]
    different = a.contiguous().view(whole) != b.contiguous().view(whole)
    if not bool(different.any()) or str(a.dtype).startswith("torch.float4"):
        return int(torch.count_nonzero(different))
    wide_a, wide_b = (a.to(torch.float32), b.to(torch.float32)) if a.dtype.itemsize == 1 else (a, b)
    return int(torch.count_nonzero(different & ~(torch.isnan(wide_a) & torch.isnan(wide_b))))


def bitwise_equal(a: torch.Tensor, b: torch.Tensor) -> bool:
    """The exact class: same shape, dtype and bits, NaN payloads aside."""
    return a.shape == b.shape and a.dtype == b.dtype and bitwise_mismatches(a, b) == 0


def integer_mismatches(value: torch.Tensor, truth: torch.Tensor) -> int:
    """Integers and bools, of whatever width: elements that are not equal."""
    return int(torch.count_nonzero(value.to(torch.int64) != truth.to(torch.int64)))
