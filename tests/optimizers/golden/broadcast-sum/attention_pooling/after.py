# target: AttentionPooling
import torch
import torch.nn as nn


class AttentionPooling(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.score = nn.Linear(dim, 1)

    def forward(self, x):
        weights = torch.softmax(self.score(x).squeeze(-1), dim=1)
        dtype = torch.result_type(weights, x)
        return torch.einsum("bk,bki->bi", weights.to(dtype), x.to(dtype))


def get_init_inputs():
    return [8]


def get_inputs():
    return [torch.randn(3, 5, 8)]
