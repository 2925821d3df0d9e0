"""Ties: honest selections pass whatever their order, a wrong row or a coarser routing does not."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from outpace_audit.compare import error_profile, within_budget
from outpace_audit.ties import TieJudge, TieResult
from outpace_audit.truth import LiftToFloat64, lift_inputs

TOKENS, DIM, EXPERTS, GROUPS, TOP = 1500, 64, 32, 4, 4


def route(
    hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor]:
    """Group-limited top-k in the manner of SOL-ExecBench L2/049: two groups, then the best four experts."""
    scores = torch.sigmoid(hidden.to(dtype) @ weight.to(dtype).T).to(torch.float32)
    choice = scores + bias.to(torch.float32)
    grouped = choice.view(len(hidden), GROUPS, -1)
    group = grouped.topk(2, -1, sorted=False).values.sum(-1).topk(2, -1, sorted=False).indices
    mask = torch.zeros(len(hidden), GROUPS).scatter_(1, group, 1.0)[..., None].expand_as(grouped).reshape_as(choice)
    chosen = choice.masked_fill(mask == 0, torch.finfo(torch.float32).min).topk(TOP, -1, sorted=False).indices
    picked = scores.gather(1, chosen)
    return chosen, picked / picked.sum(-1, keepdim=True) * 2.5


def inputs(*, ties: bool) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(3)
    hidden = torch.randn(TOKENS, DIM, generator=generator).bfloat16()
    weight = (torch.randn(EXPERTS, DIM, generator=generator) / DIM**0.5).bfloat16()
    bias = (0.1 * torch.randn(EXPERTS, generator=generator)).bfloat16()
    if ties:  # experts that are exact copies of one another, within a group and across groups
        for twin, of in ((5, 4), (9, 8), (17, 25)):
            weight[twin], bias[twin] = weight[of], bias[of]
    return hidden, weight, bias


def oracle(reference: Callable[..., Any], args: tuple[torch.Tensor, ...]) -> Callable[[float, int], list[torch.Tensor]]:
    def perturbed(scale: float, seed: int) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(seed)
        lifted = lift_inputs(args)
        noisy = [a * (1 + scale * torch.randn(a.shape, generator=generator, dtype=a.dtype)) for a in lifted]
        with LiftToFloat64():
            out = reference(*noisy)
        return list(out) if isinstance(out, tuple) else [out]

    return perturbed


def setting(reference: Callable[..., Any], args: tuple[torch.Tensor, ...]) -> SimpleNamespace:
    perturbed = oracle(reference, args)
    out = reference(*args)
    baseline = list(out) if isinstance(out, tuple) else [out]
    truth = perturbed(0.0, 0)
    return SimpleNamespace(truth=truth, baseline=baseline, perturbed=perturbed)


def verdict(at: SimpleNamespace, candidate: list[torch.Tensor], **options: Any) -> tuple[TieResult, bool]:
    """The tie verdict, and whether the aligned floats fit the budget as well."""
    result = TieJudge(at.truth, at.baseline, at.perturbed, **options).judge(candidate)
    fits = all(
        within_budget(
            error_profile(a.candidate, a.candidate_truth),
            error_profile(a.baseline, a.baseline_truth),
            torch.float32,
        ).passed
        for a in result.aligned.values()
    )
    return result, fits


@pytest.fixture(scope="module")
def tied() -> SimpleNamespace:
    return setting(route, inputs(ties=True))


def shuffled(outputs: list[torch.Tensor], *, weights_too: bool) -> list[torch.Tensor]:
    order = torch.rand(outputs[0].shape, generator=torch.Generator().manual_seed(5)).argsort(-1)
    return [outputs[0].gather(1, order), outputs[1].gather(1, order) if weights_too else outputs[1]]


def flip_route(hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Honest, with the experts visited backwards: among equals it prefers another than `route` does."""
    chosen, weights = route(hidden, weight.flip(0), bias.flip(0))
    return EXPERTS - 1 - chosen, weights


def test_the_baseline_itself_passes(tied: SimpleNamespace) -> None:
    result, fits = verdict(tied, tied.baseline)
    assert result.passed and fits, result.evidence
    assert set(result.aligned) == {1}


def test_other_order_passes_with_its_weights(tied: SimpleNamespace) -> None:
    result, fits = verdict(tied, shuffled(tied.baseline, weights_too=True))
    assert result.passed and fits, result.evidence


def test_other_order_fails_without_its_weights(tied: SimpleNamespace) -> None:
    result, fits = verdict(tied, shuffled(tied.baseline, weights_too=False))
    assert result.passed and not fits


def test_other_tie_breaking_passes(tied: SimpleNamespace) -> None:
    candidate = list(flip_route(*inputs(ties=True)))
    result, fits = verdict(tied, candidate)
    assert result.contested > 10, "the ties must matter for this test"
    assert result.passed and fits and result.unexplained == 0, result.evidence


def test_one_row_routed_wrongly_fails(tied: SimpleNamespace) -> None:
    wrong = tied.baseline[0].clone()
    wrong[7, 0] = next(e for e in range(EXPERTS) if e not in wrong[7])
    weights = tied.baseline[1].clone()
    weights[7] = 99.0
    result, fits = verdict(tied, [wrong, weights])
    assert not result.passed and result.unexplained == 1, result.evidence
    assert fits, "an unexplained row is counted, and not measured as well"


def test_wrong_weights_in_a_contested_row_fail(tied: SimpleNamespace) -> None:
    chosen, weights = flip_route(*inputs(ties=True))
    contested = (chosen.sort(-1).values != tied.truth[0].sort(-1).values).any(-1)
    weights = weights.clone()
    weights[contested.nonzero()[0, 0]] *= 1.001
    result, fits = verdict(tied, [chosen, weights])
    assert result.passed and not fits


def test_routing_in_a_coarser_format_fails() -> None:
    args = inputs(ties=False)
    at = setting(route, args)

    result, _ = verdict(at, list(route(*args, dtype=torch.bfloat16)))
    assert result.contested > 5 and not result.passed, result.evidence


def test_no_draws_without_contested_rows() -> None:
    at = setting(route, inputs(ties=False))
    result, fits = verdict(at, at.baseline)
    assert result.passed and fits and result.draws == 0, result.evidence


def test_a_sorted_top_k_keeps_its_order() -> None:
    def best(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        values, indices = x.topk(4, -1)
        return values, indices

    at = setting(best, (torch.randn(64, 20, generator=torch.Generator().manual_seed(0)),))
    backwards = [each.flip(-1) for each in at.baseline]
    assert not verdict(at, backwards)[0].passed
    assert verdict(at, backwards, ordered=False)[0].passed
    assert verdict(at, at.baseline)[0].passed


def test_argsort_with_many_ties_in_one_row() -> None:
    def order(x: torch.Tensor) -> torch.Tensor:
        return torch.argsort(x, dim=-1, stable=True)

    x = torch.randn(3, 400, generator=torch.Generator().manual_seed(1))
    x[:, 200:300] = x[:, :100]  # a hundred pairs: 2**100 legal answers
    at = setting(order, (x,))
    honest = 399 - torch.argsort(x.flip(-1), dim=-1, stable=True)
    result, _ = verdict(at, [honest])
    assert result.contested == 3 and result.passed, result.evidence
    repeated = honest.clone()
    place = int((honest[0] != at.truth[0][0]).nonzero()[0])
    repeated[0, place] = at.truth[0][0, place]  # legal at its place, but no permutation any more
    assert not verdict(at, [repeated])[0].passed
    swapped = honest.clone()
    swapped[1, [0, 399]] = swapped[1, [399, 0]]
    assert not verdict(at, [swapped])[0].passed


def test_a_whole_permutation_keeps_its_order_whatever_comes_with_it() -> None:
    def order(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        indices = x.argsort(-1)
        return indices, y.gather(-1, indices)

    generator = torch.Generator().manual_seed(4)
    at = setting(order, (torch.randn(64, 20, generator=generator), torch.randn(64, 20, generator=generator)))
    assert not verdict(at, [each.flip(-1) for each in at.baseline])[0].passed


@pytest.mark.parametrize(("rows", "passes"), [(3, True), (4, False)])
def test_a_few_rows_may_need_coarser_noise(rows: int, passes: bool) -> None:
    """Gaps of 2e-5: beyond fp32's reach here, within the ladder's. Three come by chance, more are a rate."""

    def largest(x: torch.Tensor) -> torch.Tensor:
        return x.argmax(-1)

    x = torch.randn(300, 20, generator=torch.Generator().manual_seed(2))
    x[:10, 3], x[:10, 11] = 9.0, 9.0 - 2e-5
    at = setting(largest, (x,))
    token = at.baseline[0].clone()
    token[:rows] = 11
    result, _ = verdict(at, [token])
    assert result.passed == passes and result.coarse == (rows if passes else 0), result.evidence


def test_argmax_is_judged_per_element_and_followers_follow() -> None:
    table = torch.arange(80.0).reshape(20, 4)

    def greedy(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        token = x.argmax(-1)
        return token, table[token] + x.sum()

    x = torch.randn(500, 20, generator=torch.Generator().manual_seed(2))
    x[:100, 3] = x[:100, 11] = 9.0
    at = setting(greedy, (x,))
    token = at.baseline[0].clone()
    token[:100] = 11
    result, fits = verdict(at, [token, table[token] + x.sum()])
    assert result.contested == 100 and result.passed and fits, result.evidence
    token[400] = (token[400] + 1) % 20
    assert not verdict(at, [token, table[token] + x.sum()])[0].passed


def test_wrong_shape_is_an_answer_not_a_crash(tied: SimpleNamespace) -> None:
    assert not verdict(tied, [tied.baseline[0][:-1], tied.baseline[1]])[0].passed
