# target: causal
import torch


def causal(q, k, v):
    n = q.size(-2)
    scores = torch.tril(q @ k.transpose(-2, -1))
    triangle = torch.triu(q @ k.mT).sum(-1)
    weights = torch.softmax(q @ k.mT, dim=-1) @ v
    return scores @ v / n + weights + triangle.unsqueeze(-1)


def get_inputs():
    return [torch.randn(2, 4, 3), torch.randn(2, 4, 3), torch.randn(2, 4, 3)]
