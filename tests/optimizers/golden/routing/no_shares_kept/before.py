# target: route
import torch


def route(logits):
    """All shares are read again, for a loss that balances experts."""
    shares = logits.float().softmax(-1)
    weights, experts = shares.topk(2, dim=-1)
    return shares.mean() + weights.sum() + experts.sum()


def get_inputs():
    return [torch.randn(6, 8)]
