# target: route
import torch


def route(logits, bias):
    """The division is not the kernel's: it stays as it is."""
    scores = torch.sigmoid(logits)
    biased = scores + bias
    best = biased.view(-1, 4, 4).topk(2, dim=-1).values.sum(-1)
    mask = torch.zeros_like(best).scatter(1, best.topk(2, dim=-1).indices, True)
    masked = biased.masked_fill(mask.unsqueeze(-1).expand(-1, 4, 4).reshape(-1, 16) == 0, float("-inf"))
    experts = masked.topk(3).indices
    weights = scores.gather(1, experts)
    weights = weights / (weights.sum(dim=-1, keepdim=True) + 1e-6)
    return torch.zeros_like(logits).scatter(1, experts, weights)


def get_inputs():
    return [torch.randn(7, 16), torch.rand(16)]
