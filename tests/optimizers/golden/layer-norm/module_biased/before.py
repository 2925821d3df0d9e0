# target: LayerNorm
import torch as th
import torch.nn as nn


class LayerNorm(nn.Module):
    def __init__(self, features, eps=1e-6):
        super().__init__()
        self.gamma = nn.Parameter(th.ones(features))
        self.beta = nn.Parameter(th.zeros(features))
        self.eps = eps

    def forward(self, x):
        mean = x.mean(dim=-1, keepdim=True)
        var = x.var(dim=-1, keepdim=True, unbiased=False)
        # scale and shift
        return self.gamma * (x - mean) / th.sqrt(var + self.eps) + self.beta


def get_init_inputs():
    return [24]


def get_inputs():
    return [th.randn(2, 5, 24)]
