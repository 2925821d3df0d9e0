# target: Router
import torch
import torch.nn as nn


class Router(nn.Module):
    def __init__(self, dim, experts, k=2):
        super().__init__()
        self.gate = nn.Linear(dim, experts)
        self.k = k

    def forward(self, x):
        scores = self.gate(x).softmax(dim=-1)
        weights, chosen = torch.topk(scores, min(self.k, scores.shape[-1]), dim=-1)
        return (weights / weights.sum(-1, keepdim=True)) * chosen


def get_init_inputs():
    return [6, 8]


def get_inputs():
    return [torch.randn(4, 5, 6)]
