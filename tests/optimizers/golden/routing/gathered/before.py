# target: route
import torch


def route(logits):
    shares = torch.softmax(logits.float(), dim=-1)
    _, experts = torch.topk(shares, k=2, dim=-1, sorted=False)
    weights = torch.gather(shares, -1, experts)
    return torch.zeros_like(logits).scatter(-1, experts, weights)


def get_inputs():
    return [torch.randn(2, 6, 8)]
