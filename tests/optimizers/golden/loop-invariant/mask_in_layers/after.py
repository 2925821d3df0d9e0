# target: Model
import torch
import torch.nn as nn


class Model(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(dim, dim) for _ in range(depth)])
        self.mix = nn.Parameter(torch.randn(dim, dim) / dim)

    def forward(self, x):
        softmax_once = torch.softmax(self.mix, dim=-1)
        for layer in self.layers:
            T = x.shape[1]
            mask = torch.tril(torch.ones(T, T, device=x.device))
            x = x + layer(x) @ softmax_once
        return x @ x.transpose(1, 2) * mask


def get_init_inputs():
    return [8, 3]


def get_inputs():
    return [torch.randn(2, 5, 8)]
