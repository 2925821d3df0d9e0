# target: route
import torch


def route(logits, temperature):
    shares = torch.softmax(logits, -1)
    weights, experts = torch.topk(shares, 2, largest=False)
    others, places = torch.topk(torch.softmax(logits / temperature, 0), 2)
    return weights.sum() + experts.sum() + others.sum() + places.sum()


def get_inputs():
    return [torch.randn(6, 8), torch.tensor(2.0)]
