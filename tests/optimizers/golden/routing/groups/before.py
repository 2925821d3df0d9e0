# target: Gate
import torch
import torch.nn.functional as F
from torch import nn


class Gate(nn.Module):
    def __init__(self, width: int, experts: int) -> None:
        super().__init__()
        self.n_experts, self.top_k, self.n_group, self.topk_group = experts, 3, 4, 2
        self.scale, self.norm = 2.5, True
        self.weight = nn.Parameter(torch.randn(experts, width) / width**0.5)
        self.register_buffer("bias", torch.rand(experts))

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        tokens, _ = hidden.shape
        logits = F.linear(hidden.float(), self.weight.float())
        scores = logits.sigmoid()
        choice = scores.view(-1, self.n_experts) + self.bias.unsqueeze(0)
        group_scores = choice.view(tokens, self.n_group, -1).topk(2, dim=-1)[0].sum(dim=-1)
        group_idx = torch.topk(group_scores, k=self.topk_group, dim=-1, sorted=False)[1]
        group_mask = torch.zeros_like(group_scores)
        group_mask.scatter_(1, group_idx, 1)
        score_mask = (
            group_mask.unsqueeze(-1).expand(tokens, self.n_group, self.n_experts // self.n_group).reshape(tokens, -1)
        )
        tmp_scores = choice.masked_fill(~score_mask.bool(), 0.0)
        _, topk_idx = torch.topk(tmp_scores, k=self.top_k, dim=-1, sorted=False)
        topk_weight = scores.gather(1, topk_idx)
        if self.norm:
            denominator = topk_weight.sum(dim=-1, keepdim=True) + 1e-20
            topk_weight = topk_weight / denominator
        topk_weight = topk_weight * self.scale
        return torch.zeros_like(logits).scatter(1, topk_idx, topk_weight)


def get_init_inputs():
    return [8, 16]


def get_inputs():
    return [torch.randn(7, 8)]
