"""What numeric checks make of observations that an honest candidate can meet by chance: kinks, NaN that only leaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import torch

from outpace_audit.checks import shapes, value_laws
from outpace_audit.checks.evidence import Evidence, Observation, Probe
from outpace_audit.checks.gradients import compare_gradients
from outpace_audit.checks.numerics import NOISE, Tally, heeding_noise, with_redraws
from outpace_audit.checks.outputs import compare_outputs
from outpace_audit.compare import ErrorProfile
from outpace_audit.law_choice import tells_when_huge
from outpace_audit.records import Check, Code, Machine
from outpace_audit.scout import usable
from outpace_audit.sides import LeafView, Reply
from outpace_audit.values import HUGE, MOVES, VALUE_LAWS, revalue

NOTHING_RETURNED = Reply((LeafView("result", plain="None"),), (), ())
NEAR_ZERO = 1e-9
"""Below the roundings of the sum that would give it."""


def leaf(path: str, tensor: torch.Tensor) -> LeafView:
    dtype = str(tensor.dtype).removeprefix("torch.")
    return LeafView(path, tuple(tensor.shape), tensor.stride(), dtype, tensor=tensor)


def reply(output: torch.Tensor, *gradients: torch.Tensor, updated: Sequence[LeafView] = ()) -> Reply:
    named = tuple(leaf(f"gradient of input {i}", gradient) for i, gradient in enumerate(gradients))
    return Reply((leaf("result", output),), named, (), tuple(updated))


def relu(x: torch.Tensor, error: float = 0.0) -> Reply:
    """The result of relu(x) and its gradient under cotangents 1 to n, off by a relative error."""
    cotangent = torch.arange(1, x.numel() + 1, dtype=x.dtype)
    return reply(x.relu(), cotangent * (x > 0) * (1 + error))


def draw(seed: int, crossing: bool, error: float = 0.0) -> Observation:
    """One element lies near zero; where `crossing`, the candidate puts it on the other side."""
    x = torch.randn(1000, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    x[500] = NEAR_ZERO
    over = x.clone()
    over[500] = -NEAR_ZERO
    theirs = (over if crossing else x).float()
    return Observation("w", "fresh", {}, relu(x), relu(x.float()), relu(theirs, error), shaken=lambda: [relu(over)])


def judged(seen: Observation) -> Check:
    tally = Tally("gradients-against-truth", "L2")
    tally.add("w", with_redraws(seen, compare_gradients))
    return tally.verdict("one call")


def with_more(seen: Observation, more: Sequence[Observation]) -> Observation:
    coming = iter(more)
    return replace(seen, again=lambda: next(coming, None))


def test_one_kink_by_chance_is_no_error() -> None:
    assert judged(with_more(draw(1, True), [draw(2, True), draw(3, False)])).passed


@pytest.mark.parametrize(
    "more",
    [[], [draw(seed, True) for seed in range(2, 9)], [draw(seed, False, error=2e-4) for seed in range(2, 9)]],
    ids=["the candidate fails at other values", "in every draw", "less precision in every draw"],
)
def test_what_other_values_show_too_is_an_error(more: Sequence[Observation]) -> None:
    assert not judged(with_more(draw(1, True), more)).passed


def test_without_a_kink_in_reach_one_wrong_call_is_enough() -> None:
    seen = replace(draw(1, True), shaken=tuple)
    assert not judged(with_more(seen, [draw(2, False)])).passed


KEPT = (torch.arange(64) % 2 == 0).float()


def multiplied(x: torch.Tensor) -> torch.Tensor:
    """0 x NaN is NaN, though what is multiplied by 0 decides nothing."""
    return (x * KEPT.to(x.dtype)).cumsum(0)


def skipped(x: torch.Tensor) -> torch.Tensor:
    return torch.where(KEPT > 0, x, 0.0).cumsum(0)


def swallowed(x: torch.Tensor) -> torch.Tensor:
    return multiplied(x).nan_to_num(0.0, 0.0, 0.0)


def no_evidence() -> Evidence:
    code = Code("f.py", "", "f", "function")
    return Evidence(code, code, None, "tolerant", Machine("cpu", "", "", "", 1, "", "", None, None, None), False)


def under(law: str, seed: int, candidate: Callable[[torch.Tensor], torch.Tensor]) -> Check:
    x = torch.randn(64, generator=torch.Generator().manual_seed(seed))

    def truth(law: str) -> Reply:
        return reply(multiplied(revalue([x], law, seed, None)[0].double()))

    (changed,) = revalue([x], law, seed, None)
    ours, theirs = reply(multiplied(changed)), reply(candidate(changed))
    swayed = lambda: [truth(move) for move in MOVES]  # noqa: E731
    evidence = no_evidence()
    seen = Observation("w", law, {}, truth(law), ours, theirs, swayed=swayed)
    evidence.probes[value_laws.NAME].append(Probe(law, seen))
    return value_laws.check(evidence)


@pytest.mark.parametrize("law", ["nan", "infinite"])
def test_a_nan_of_an_element_that_decides_nothing_may_vanish_and_no_other(law: str) -> None:
    seen: list[bool] = []
    for seed in range(12):
        (changed,) = revalue([torch.randn(64)], law, seed, None)
        counts = bool(KEPT[~torch.isfinite(changed)])
        assert under(law, seed, skipped).passed
        assert under(law, seed, swallowed).passed == (not counts)
        seen.append(counts)
    assert any(seen) and not all(seen)


PRICES = torch.arange(1.0, 9.0)


def picked(places: torch.Tensor) -> Reply:
    """The price at each place, over the highest of them."""
    found = PRICES[places]
    return Reply((leaf("[0]", places), leaf("[1]", found / found.max())), (), ())


@pytest.mark.parametrize(("chosen", "off", "passes"), [(7, 0, True), (0, 1, False), (7, 1, False)])
def test_what_is_picked_by_nan_is_nobodys_to_agree_with_and_all_else_is(chosen: int, off: int, passes: bool) -> None:
    """Of three places the first was found by NaN: the baseline says 0, a candidate `chosen`. The others are settled."""

    def of(first: int, second: int = 2) -> Reply:
        return picked(torch.tensor([first, second, 7]))

    ours, theirs = of(0), of(chosen, 2 + off)
    seen = Observation("w", "nan", {}, ours, ours, theirs, swayed=lambda: [of(7), of(0)])
    evidence = no_evidence()
    evidence.probes[value_laws.NAME].append(Probe("nan", seen))
    assert value_laws.check(evidence).passed is passes


@pytest.mark.parametrize(
    ("result", "truth", "tells"),
    [(HUGE, HUGE, True), (1.0, 1.0, True), (0.0, HUGE, False), (0.25, 0.25, False)],
    ids=["grows", "says yes", "overflows on the way", "stays small"],
)
def test_huge_inputs_tell_where_results_grow_or_are_an_answer(result: float, truth: float, tells: bool) -> None:
    ours, wanted = (reply(torch.tensor([value])) for value in (result, truth))
    assert tells_when_huge(ours, wanted) is tells


@pytest.mark.parametrize("seed", range(8))
def test_one_seed_spoils_and_moves_the_same_element(seed: int) -> None:
    x = torch.randn(4096)
    laws = [*MOVES, *(law for law in VALUE_LAWS if VALUE_LAWS[law].spreads)]
    assert len({int((revalue([x], law, seed, None)[0] != x).nonzero()) for law in laws}) == 1


def test_what_is_left_in_an_input_is_compared() -> None:
    result, cache = torch.ones(4), torch.arange(4.0)
    ours = reply(result, updated=[leaf("input 1, updated", cache)])

    def problems(theirs: Reply) -> list[str]:
        found = compare_outputs(Observation("w", "fresh", {}, None, ours, theirs))
        tally = Tally("outputs-against-truth", "L2")
        tally.add("w", found)
        verdict = tally.verdict("one call")
        return [] if verdict.passed else [verdict.evidence]

    assert not problems(ours)
    assert problems(reply(result, updated=[leaf("input 1, updated", cache + 1)]))
    assert problems(reply(result))[0] == "w: input 1, updated: by the baseline alone"


def test_a_call_whose_statistics_become_nan_is_not_usable() -> None:
    plain, empty = reply(torch.ones(4), torch.ones(2)), reply(torch.ones(0), torch.full((2,), float("nan")))
    assert usable(plain, plain)
    assert not usable(plain, empty)
    assert usable(empty, empty)


def test_where_truth_has_other_results_the_two_sides_are_held_against_each_other() -> None:
    """At some sizes an operator returns nothing on one device and a tensor in fp64."""
    nothing = NOTHING_RETURNED
    some = reply(torch.ones(3))
    wrong = reply(torch.ones(3) * 2)

    def passes(truth: Reply, ours: Reply, theirs: Reply) -> bool:
        tally = Tally("outputs", "L2")
        tally.add("w", compare_outputs(Observation("w", "fresh", {}, truth, ours, theirs)))
        return tally.verdict("one call").passed

    assert passes(some, nothing, nothing)
    assert not passes(some, nothing, some)
    assert passes(nothing, some, some)
    assert not passes(nothing, some, wrong)


@pytest.mark.parametrize(("elements", "passes"), [(0, True), (3, False)])
def test_none_stands_for_a_result_without_elements_alone(elements: int, passes: bool) -> None:
    seen = Observation("w", "degenerate", {}, None, reply(torch.ones(elements)), NOTHING_RETURNED)
    evidence = no_evidence()
    evidence.probes[shapes.NAME].append(Probe("heads 16 -> 0", seen))
    assert shapes.check(evidence).passed is passes


@pytest.mark.parametrize(("elements", "passes"), [(0, True), (3, False)])
def test_a_gradient_that_is_no_number_beside_no_result_is_loud(elements: int, passes: bool) -> None:
    result, lost = torch.ones(elements), torch.full((4,), torch.nan)
    seen = Observation("w", "degenerate", {}, None, reply(result, torch.zeros(4)), reply(result, lost))
    evidence = no_evidence()
    evidence.probes[shapes.NAME].append(Probe("height 16 -> 0", seen))
    assert shapes.check(evidence).passed is passes


def test_none_beside_a_result_with_elements_is_no_narrower_domain() -> None:
    empty, full = leaf("first", torch.ones(0)), leaf("second", torch.ones(3))
    ours = Reply((empty, full), (), ())
    theirs = Reply((LeafView("first", plain="None"), leaf("second", torch.zeros(3))), (), ())
    evidence = no_evidence()
    evidence.probes[shapes.NAME].append(Probe("heads 16 -> 0", Observation("w", "degenerate", {}, None, ours, theirs)))
    assert not shapes.check(evidence).passed


def nothing_reaches_it(gradient: torch.Tensor | None) -> Reply:
    """A call of which one parameter's gradient is nought, or none at all."""
    path = "gradient of parameter weight"
    lone = LeafView(path, plain="None") if gradient is None else leaf(path, gradient)
    return Reply((leaf("result", torch.ones(4)),), (lone,), ())


@pytest.mark.parametrize("swapped", [False, True])
def test_at_other_shapes_no_gradient_and_one_of_zeros_are_the_same(swapped: bool) -> None:
    sides = nothing_reaches_it(torch.zeros(3)), nothing_reaches_it(None)
    ours, theirs = sides[::-1] if swapped else sides
    seen = Observation("w", "one", {}, None, ours, theirs)
    assert [one.problem for one in compare_gradients(seen, none_is_nought=True)] == [""]
    assert [one.problem for one in compare_gradients(seen)] == ["exists on one side only"], "optimizers tell them apart"
    some = Observation("w", "one", {}, None, nothing_reaches_it(torch.eye(3)), nothing_reaches_it(None))
    assert [one.problem for one in compare_gradients(some, none_is_nought=True)] == ["exists on one side only"]


@pytest.mark.parametrize("size", [0.0, 2.0**-4, 2.0**-1])
def test_what_is_noise_on_the_baselines_side_is_nobodys(size: float) -> None:
    """Off by no part of the values, by a sixteenth, or by half of them."""
    generator = torch.Generator().manual_seed(1)
    true, noise, other = (torch.randn(64, 8, generator=generator, dtype=torch.float64) for _ in range(3))
    seen = Observation(
        "w", "p", {}, reply(true), reply((true + size * noise).float()), reply((true + 8 * other).float())
    )

    def passes(elsewhere: Sequence[ErrorProfile]) -> bool:
        tally = Tally("shapes", "L2")
        tally.add("w", heeding_noise(compare_outputs(seen), lambda path: elsewhere, {"result"}))
        return tally.verdict("one call").passed

    assert passes(()) == (size > NOISE)
    assert not passes([ErrorProfile(q50=2.0**-2)]), "so it is in plain calls, which are judged"
