# target: route
import torch


def route(x, gate):
    weights, experts = (x @ gate).softmax(dim=-1).topk(2)
    weights = weights / weights.sum(-1, keepdim=True)
    return torch.cat([weights, experts.float()], dim=-1)


def get_inputs():
    return [torch.randn(6, 8), torch.randn(8, 5)]
