# target: route
import torch


def route(logits, bias):
    """Groups by their largest alone, weights with their bias, and a sum with another eps."""
    scores = torch.sigmoid(logits)
    choice = scores + bias
    best = choice.view(7, 4, 4).topk(1, dim=-1)[0].sum(dim=-1)
    mask = torch.zeros_like(best).scatter(1, best.topk(2, dim=-1)[1], 1)
    masked = choice.masked_fill(~mask.unsqueeze(-1).expand(7, 4, 4).reshape(7, 16).bool(), 0.0)
    weights, experts = torch.topk(masked, 3, dim=-1)
    return torch.zeros_like(logits).scatter(1, experts, weights / (weights.sum(-1, keepdim=True) + 1e-6))


def get_inputs():
    return [torch.randn(7, 16), torch.rand(16)]
