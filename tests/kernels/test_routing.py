"""Routing's kernels: weights and gradients against fp64, chosen experts against a stable sort, ties and NaN."""

from __future__ import annotations

from typing import Any

import pytest
from against_fp64 import DEVICE, DTYPES, hold, normal, torch

from outpace_kernels.routing import (
    fused_group_routing,
    fused_softmax_routing,
    group_routing,
    group_routing_fits,
    group_routing_reference,
    softmax_routing,
    softmax_routing_fits,
    softmax_routing_reference,
)


def distinct(rows: int, experts: int, dtype: Any) -> Any:
    """Logits that no dtype here confuses: multiples of 1/8, each once in a row."""
    generator = torch.Generator().manual_seed(3)
    order = torch.stack([torch.randperm(experts, generator=generator) for _ in range(rows)])
    return ((order - experts // 2) / 8).to(DEVICE, dtype)


def stable_top(scores: Any, top: int) -> Any:
    return torch.sort(scores, dim=-1, descending=True, stable=True).indices[..., :top]


def stable_groups(choice: Any, top: int, groups: int, kept: int) -> Any:
    grouped = choice.unflatten(-1, (groups, -1))
    sums = torch.sort(grouped, dim=-1, descending=True).values[..., :2].sum(-1)
    among = torch.zeros_like(sums, dtype=torch.bool).scatter(-1, stable_top(sums, kept), True)
    return stable_top(grouped.masked_fill(~among.unsqueeze(-1), -float("inf")).flatten(-2), top)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize(("rows", "experts", "top"), [(1, 1, 1), (3, 8, 2), (5, 60, 6), (4, 128, 8), (2, 33, 32)])
def test_softmax(rows: int, experts: int, top: int, normalised: bool, dtype: Any) -> None:
    logits = distinct(rows, experts, dtype)
    hold(
        lambda x: fused_softmax_routing(x, top, normalised)[0],
        lambda x: softmax_routing_reference(x, top, normalised)[0],
        [logits],
        [0],
    )
    assert torch.equal(fused_softmax_routing(logits, top, normalised)[1], stable_top(logits, top))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize(
    ("experts", "top", "groups", "kept"), [(4, 1, 1, 1), (64, 6, 8, 3), (128, 8, 8, 4), (60, 7, 5, 2), (42, 3, 3, 3)]
)
def test_groups(experts: int, top: int, groups: int, kept: int, normalised: bool, dtype: Any) -> None:
    logits, bias = distinct(3, experts, dtype), normal(experts, dtype=torch.float32, seed=1, scale=0.1)
    settings = top, groups, kept, 2.5, normalised
    hold(
        lambda x, b: fused_group_routing(x, b, *settings)[0],
        lambda x, b: group_routing_reference(x, b, *settings)[0],
        [logits, bias],
        [0],
    )
    choice = torch.sigmoid(logits.double()) + bias.double()
    assert torch.equal(fused_group_routing(logits, bias, *settings)[1], stable_groups(choice, top, groups, kept))


def test_of_other_groups_the_scores_may_count_as_zero() -> None:
    logits, bias = distinct(3, 64, torch.float32), normal(64, dtype=torch.float32, seed=1) - 3.0
    settings = 6, 8, 3, 2.5, True, True
    grouped = (torch.sigmoid(logits) + bias).unflatten(-1, (8, 8))
    sums = torch.sort(grouped, dim=-1, descending=True).values[..., :2].sum(-1)
    among = torch.zeros_like(sums, dtype=torch.bool).scatter(-1, stable_top(sums, 3), True)
    choice = grouped.masked_fill(~among.unsqueeze(-1), 0.0).flatten(-2)
    assert bool((choice.topk(6).values == 0).any())
    weights, experts = fused_group_routing(logits, bias, *settings)
    assert torch.equal(experts, stable_top(choice, 6))
    chosen = torch.sigmoid(logits).gather(-1, experts)
    torch.testing.assert_close(weights, 2.5 * chosen / chosen.sum(-1, keepdim=True))


def test_of_equal_experts_the_lower_index_is_first() -> None:
    logits = torch.randint(-2, 3, (20, 64), generator=torch.Generator().manual_seed(0)).float().to(DEVICE)
    weights, experts = fused_softmax_routing(logits, 8)
    assert torch.equal(experts, stable_top(logits, 8))
    assert torch.equal(logits.gather(-1, experts), torch.topk(logits, 8).values)
    assert torch.allclose(weights, softmax_routing_reference(logits, 8)[0])
    none = torch.zeros(64, device=DEVICE)
    experts = fused_group_routing(logits, none, 6, 8, 4)[1]
    assert torch.equal(experts, stable_groups(torch.sigmoid(logits), 6, 8, 4))


def test_zeros_of_either_sign_are_equal_and_nan_is_largest() -> None:
    row = torch.tensor([[-0.0, 0.0, -1.0, -0.0, -float("inf")]], device=DEVICE)
    assert fused_softmax_routing(row, 5)[1].tolist() == [[0, 1, 3, 2, 4]]
    for nan in (float("nan"), -float("nan")):
        row = torch.tensor([[1.0, float("inf"), nan, 2.0]], device=DEVICE)
        weights, experts = fused_softmax_routing(row, 3)
        assert experts.tolist() == torch.topk(row, 3).indices.tolist() == [[2, 1, 3]]
        assert bool(weights.isnan().all())


def test_the_bias_chooses_and_does_not_weigh() -> None:
    logits, bias = torch.zeros(2, 8, device=DEVICE), torch.zeros(8, device=DEVICE)
    bias[5], bias[4] = 10.0, 9.0
    weights, experts = fused_group_routing(logits, bias, 2, 2, 1)
    assert experts.tolist() == [[5, 4]] * 2 and weights.tolist() == [[0.5, 0.5]] * 2


def test_leading_dimensions_and_strides() -> None:
    logits = distinct(12, 64, torch.float32).view(3, 4, 64).transpose(0, 1)[..., ::2]
    for one, other in zip(fused_softmax_routing(logits, 4), softmax_routing_reference(logits, 4), strict=True):
        assert one.shape == other.shape == (4, 3, 4)
        assert torch.allclose(one, other)


def test_what_it_does_not_fit_goes_to_the_reference() -> None:
    logits, bias = torch.randn(3, 8), torch.randn(8)
    assert not softmax_routing_fits(logits, 2) and not group_routing_fits(logits, bias, 2, 2, 1)
    for one, two in zip(softmax_routing(logits, 2), softmax_routing_reference(logits, 2), strict=True):
        assert torch.equal(one, two)
    ours, theirs = group_routing(logits, bias, 2, 2, 1), group_routing_reference(logits, bias, 2, 2, 1)
    assert all(torch.equal(one, two) for one, two in zip(ours, theirs, strict=True))


def test_a_second_derivative_is_refused() -> None:
    logits = normal(3, 16, dtype=torch.float32).requires_grad_()
    with pytest.raises(NotImplementedError, match="second derivative"):
        torch.autograd.grad(fused_softmax_routing(logits, 2)[0].sum(), logits, create_graph=True)
