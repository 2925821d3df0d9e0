"""Error budgets: what an honest kernel may do, what a dishonest one may not, and NaN, infinities, bits."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch

from outpace_audit.checks.numerics import Tally, compare, recurring
from outpace_audit.compare import (
    ErrorProfile,
    bitwise_equal,
    bitwise_mismatches,
    error_profile,
    integer_mismatches,
    pool,
    within_budget,
    zero_scales,
)

INF, NAN = torch.inf, torch.nan


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_profile_against_the_formula() -> None:
    truth, value = normal(40, 50), normal(40, 50) + 1e-3 * normal(40, 50, seed=1)
    scale = torch.maximum(truth.abs(), truth.square().mean(-1, keepdim=True).sqrt())
    error = (value - truth).abs() / scale
    profile = error_profile(value, truth)
    ranked = error.flatten().sort().values
    for name, q in (("q50", 0.5), ("q90", 0.9), ("q99", 0.99), ("q999", 0.999)):
        assert getattr(profile, name) == pytest.approx(float(ranked[int(q * 2000)]), rel=2e-3)
    assert profile.max == pytest.approx(float(error.max()))
    assert profile.row == pytest.approx(float(error.square().mean(-1).max().sqrt()))
    assert profile.channel == pytest.approx(float(error.square().mean(0).max().sqrt()))
    assert (profile.n, profile.wrong, profile.nonfinite) == (2000, 2000, 0)


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 1), (2, 3, 4), (0,), (2, 0)])
def test_any_shape(shape: tuple[int, ...]) -> None:
    truth = normal(*shape)
    assert error_profile(truth, truth) == ErrorProfile(n=truth.numel())
    assert within_budget(error_profile(truth * 2, truth), ErrorProfile(), torch.float32).passed == (truth.numel() == 0)


def test_one_rounding_of_the_output_type_always_fits() -> None:
    truth = normal(100, 100)
    for dtype in (torch.float32, torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.float8_e5m2):
        rounded = error_profile(truth.to(dtype), truth)
        if dtype.itemsize > 1:
            assert within_budget(rounded, ErrorProfile(n=truth.numel()), dtype).passed
        assert within_budget(rounded, rounded, dtype).passed


def test_budget_is_four_times_the_baselines() -> None:
    truth = normal(50, 400)
    noise = 1e-2 * normal(50, 400, seed=1)
    baseline = error_profile(truth + noise, truth)
    assert within_budget(error_profile(truth + 3.9 * noise, truth), baseline, torch.float32).passed
    worse = within_budget(error_profile(truth + 4.1 * noise, truth), baseline, torch.float32)
    assert not worse.passed and worse.worst_ratio == pytest.approx(4.1 / 4, rel=1e-2)
    assert "4 x baseline" in worse.threshold


@pytest.mark.parametrize(("where", "which"), [
    ((3, 4), "max"), ((slice(5, 6), slice(None)), "row"), ((slice(None), slice(7, 8)), "channel"),
])  # fmt: skip
def test_no_free_percentage(where: Any, which: str) -> None:
    """Garbage in one element, one row or one channel of 40,000 elements hides in no quantile."""
    truth = normal(200, 200)
    baseline = error_profile(truth.bfloat16(), truth)
    value = truth.clone()
    value[where] *= 1.2
    candidate = error_profile(value, truth)
    assert candidate.q50 == 0 and not within_budget(candidate, baseline, torch.bfloat16).passed
    assert getattr(candidate, which) > 4 * getattr(baseline, which)


def test_a_lower_format_inside_is_found() -> None:
    a, b = normal(64, 256), normal(256, 64, seed=1)
    truth = a.float().double() @ b.float().double()
    baseline = error_profile(a.float() @ b.float(), truth)
    for dtype in (torch.bfloat16, torch.float16):
        low = a.to(dtype).float() @ b.to(dtype).float()
        assert not within_budget(error_profile(low, truth), baseline, torch.float32).passed
    halves = a.float()[:, :128] @ b.float()[:128] + a.float()[:, 128:] @ b.float()[128:]
    assert within_budget(error_profile(halves, truth), baseline, torch.float32).passed


def test_nan_and_infinity_must_match_truth_or_baseline() -> None:
    truth = torch.tensor([1.0, NAN, INF, -INF, 70000.0])
    baseline = torch.tensor([1.0, NAN, INF, -INF, INF])
    assert error_profile(truth, truth).nonfinite == 0
    assert error_profile(baseline, truth).nonfinite == 1
    assert error_profile(baseline, truth, baseline).nonfinite == 0
    assert error_profile(truth, truth, baseline).nonfinite == 0  # better than the baseline is right
    for wrong in (
        [NAN, NAN, INF, -INF, INF],
        [1, 0, INF, -INF, INF],
        [1, NAN, -INF, -INF, INF],
        [1, NAN, INF, -INF, NAN],
    ):
        profile = error_profile(torch.tensor(wrong), truth, baseline)
        assert profile.nonfinite == 1 and not within_budget(profile, ErrorProfile(n=5), torch.float32).passed
    assert error_profile(truth, truth).max == 0


def test_zero_rows_allow_no_error() -> None:
    truth = torch.zeros(4, 4)
    value = truth.clone()
    value[1, 1] = 1e-30
    assert not within_budget(error_profile(value, truth), error_profile(truth, truth), torch.float32).passed


def test_a_gradient_that_is_zero_by_mathematics_is_measured_by_its_neighbours() -> None:
    weight, bias = normal(16, 16), 1e-15 * normal(16, seed=1)
    least = zero_scales([weight, bias])
    assert least[0] == 0 and least[1] == pytest.approx(float(weight.square().mean().sqrt()))
    baseline = error_profile(torch.zeros(16), bias, least=least[1])
    small, large = (error_profile(x * normal(16, seed=2), bias, least=least[1]) for x in (1e-8, 1e-4))
    assert within_budget(small, baseline, torch.float32).passed
    assert not within_budget(large, baseline, torch.float32).passed
    assert zero_scales([torch.tensor([torch.nan, 1.0]), torch.zeros(0)]) == [0.0, pytest.approx(0.7, abs=0.1)]


def test_fp8_outputs_may_be_a_step_off_as_often_as_the_baseline() -> None:
    truth = normal(100, 100).to(torch.float8_e4m3fn)
    codes = truth.view(torch.uint8)

    def steps(count: int) -> ErrorProfile:
        moved = codes.flatten().clone()
        moved[:count] ^= 1
        return error_profile(moved.view(codes.shape).view(torch.float8_e4m3fn), truth)

    assert within_budget(steps(15), steps(5), torch.float8_e4m3fn).passed
    assert not within_budget(steps(300), steps(5), torch.float8_e4m3fn).passed


def test_pool_takes_the_worst() -> None:
    lucky, usual = ErrorProfile(max=1e-9, n=1), ErrorProfile(max=1e-6, n=1, nonfinite=1)
    assert pool(lucky, usual) == ErrorProfile(max=1e-6, n=2, nonfinite=1)


def test_complex_outputs() -> None:
    truth = torch.complex(normal(4, 8), normal(4, 8, seed=1))
    assert error_profile(truth.to(torch.complex64), truth).max < 1e-7
    assert error_profile(truth.conj(), truth).max > 0.1
    assert error_profile(truth[0, 0], truth[0, 0]).n == 2


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.float8_e4m3fn])
def test_bitwise(dtype: torch.dtype) -> None:
    a = torch.tensor([1.0, 0.0, NAN, 2.0]).to(dtype)
    assert bitwise_equal(a, a.clone())
    assert not bitwise_equal(a, torch.tensor([1.0, -0.0, NAN, 2.0]).to(dtype))
    assert bitwise_equal(a[::2], a[::2].clone())
    assert bitwise_mismatches(a, torch.tensor([1.0, 0.0, 3.0, NAN]).to(dtype)) == 2
    assert not bitwise_equal(a, a[:3]) and not bitwise_equal(a, a.to(torch.float64).to(torch.int32))


def test_nan_payloads_are_ignored() -> None:
    a = torch.tensor([0x7FC00000, 0x7FC00001, 0x3F800000], dtype=torch.int32).view(torch.float32)
    b = torch.tensor([0x7FC00003, -0x400000, 0x3F800000], dtype=torch.int32).view(torch.float32)
    assert bitwise_equal(a, b)


def test_integers() -> None:
    a = torch.tensor([1, 2, 3])
    assert integer_mismatches(a.int(), a) == 0 and integer_mismatches(a, torch.tensor([1, 0, 0])) == 2
    assert integer_mismatches(torch.tensor([True, False]), torch.tensor([True, True])) == 1


@pytest.mark.timed
def test_sixteen_million_elements_take_seconds_not_minutes() -> None:
    truth = torch.rand(1 << 24)
    start = time.perf_counter()
    assert error_profile(truth.bfloat16(), truth).n == 1 << 24
    assert time.perf_counter() - start < 10  # about 1 s on two free cores


@pytest.mark.parametrize("terms", [64, 4096])
def test_tf32_in_an_fp32_product_is_over_the_budget(terms: int) -> None:
    def rounded_to_tf32(x: torch.Tensor) -> torch.Tensor:
        return ((x.view(torch.int32) + 0x1000) & ~0x1FFF).view(torch.float32)

    generator = torch.Generator().manual_seed(terms)
    a, b = torch.randn(256, terms, generator=generator), torch.randn(terms, 256, generator=generator)
    truth = a.double() @ b.double()
    baseline = error_profile(a @ b, truth)
    assert within_budget(baseline, baseline, torch.float32).passed
    lowered = error_profile(rounded_to_tf32(a) @ rounded_to_tf32(b), truth)
    assert not within_budget(lowered, baseline, torch.float32).passed


def test_equal_values_added_in_one_chain_are_honest() -> None:
    """Their roundings all go one way."""
    plain, leeway = list[bool](), list[bool]()
    for seed in range(10):
        torch.manual_seed(seed)
        rows = torch.randn(()).expand(2048, 64)
        total = torch.zeros(64)
        for row in rows:
            total += row
        found = [compare("result", rows.double().sum(0), rows.contiguous().sum(0), total)]
        for options, comparisons in ((plain, found), (leeway, recurring(found))):
            tally = Tally("value-laws", "L2")
            tally.add("constant", comparisons)
            options.append(tally.verdict("").passed)
    assert not all(plain) and all(leeway)


def added_at_random(start: torch.Tensor, at: torch.Tensor, added: torch.Tensor, seed: int) -> torch.Tensor:
    """Rounded to the type of `start` after each addend, in an order by chance, as atomics do."""
    total, left = start.clone(), torch.randperm(len(at), generator=torch.Generator().manual_seed(seed))
    while len(left):
        place = torch.full((len(start),), -1).scatter_(0, at[left], left)
        now = place[place >= 0]
        total[at[now]] += added[now]
        left = left[~torch.isin(left, now)]
    return total


def test_rows_of_one_element_that_cancel_are_measured_by_their_neighbours() -> None:
    honest, short = list[bool](), list[bool]()
    for seed in range(12):
        torch.manual_seed(seed)
        start, added = torch.randn(4096, 1).bfloat16(), torch.randn(8 * 4096, 1).bfloat16()
        at = torch.randint(4096, (8 * 4096,))
        truth = start.double().index_add(0, at, added.double())
        ours, theirs = (added_at_random(start, at, added, 2 * seed + side) for side in (0, 1))
        fewer = added_at_random(start, at[:-4], added[:-4], 2 * seed + 1)
        for candidate, passed in ((theirs, honest), (fewer, short)):
            tally = Tally("shapes", "L2")
            tally.add("one column", [compare("result", truth, ours, candidate)])
            passed.append(tally.verdict("").passed)
    assert all(honest) and not any(short)


def test_quiet_rows_of_one_element_are_no_noise() -> None:
    quiet = torch.arange(256)[:, None] % 2 == 1
    truth = normal(256, 1).double().abs().add(0.5) * torch.where(quiet, 2.0**-14, 1.0)
    wrong = torch.where(quiet, 1.01 * truth, truth).float()
    exact = error_profile(truth.float(), truth)
    assert not within_budget(error_profile(wrong, truth), exact, torch.float32).passed
    leak = torch.zeros(8, 1, dtype=torch.float64)
    assert not within_budget(error_profile(leak + 1e-30, leak), error_profile(leak, leak), torch.float32).passed


def test_rounding_in_a_row_of_zeros_is_measured_by_the_others_where_it_may_vanish() -> None:
    truth = normal(8, 64)
    truth[3] = 0
    ours = truth.float()
    rounded, wrong = ours.clone(), ours.clone()
    rounded[3] = 1e-7
    wrong[3] = 1e-2
    judged = [compare("result", truth, ours, theirs, vanishes=True) for theirs in (rounded, wrong)]
    passed = [Tally("x", "L2", {("w", "result"): [one]}).verdict("").passed for one in judged]
    assert passed == [True, False]
    strict = compare("result", truth, ours, rounded)
    assert not Tally("x", "L2", {("w", "result"): [strict]}).verdict("").passed


def test_rows_of_zeros_that_the_baseline_fills_with_rounding_are_measured_by_the_others() -> None:
    truth = torch.randn(8, 16, dtype=torch.float64)
    truth[3] = 0
    ours = truth.float()
    ours[3] = 1e-7
    for off, passes in ((2e-7, True), (1e-3, False)):
        theirs = ours.clone()
        theirs[3] = off
        tally = Tally("argument-impact", "L2")
        tally.add("mixed", [compare("result", truth, ours, theirs)])
        assert tally.verdict("").passed is passes
