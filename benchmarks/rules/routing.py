"""Routing in groups as DeepSeek-V3's inference code has it, at its size."""

from __future__ import annotations

import torch

TOKENS, EXPERTS, GROUPS, KEPT, CHOSEN = (8192, 256, 8, 4, 8) if torch.cuda.is_available() else (64, 16, 4, 2, 3)


@torch.no_grad()
def route(logits: torch.Tensor, bias: torch.Tensor, factor: float) -> tuple[torch.Tensor, torch.Tensor]:
    tokens = logits.shape[0]
    scores = logits.sigmoid()
    biased = scores + bias
    of_groups = biased.view(tokens, GROUPS, EXPERTS // GROUPS).topk(2, dim=-1)[0].sum(dim=-1)
    kept = of_groups.topk(KEPT, dim=-1)[1]
    mask = torch.zeros_like(of_groups).scatter(1, kept, 1)
    mask = mask.unsqueeze(-1).expand(tokens, GROUPS, EXPERTS // GROUPS).reshape(tokens, EXPERTS)
    masked = biased.masked_fill(~mask.bool(), float("-inf"))
    experts = torch.topk(masked, CHOSEN, dim=-1)[1]
    weights = scores.gather(1, experts)
    weights = weights / (weights.sum(dim=-1, keepdim=True) + 1e-20)
    weights = weights * factor
    return weights, experts


def get_inputs() -> list[torch.Tensor | float]:
    return [torch.randn(TOKENS, EXPERTS), torch.rand(EXPERTS) / 10, 2.5]
