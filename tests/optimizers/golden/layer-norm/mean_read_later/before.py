# target: RevIN
import torch
from torch import nn


class RevIN(nn.Module):
    def __init__(self, eps=1e-5):
        super().__init__()
        self.eps = eps

    def forward(self, x):
        mean = x.mean(-1)
        scale = x.var(-1, unbiased=False)
        y = (x - mean[..., None]) / torch.sqrt(scale.unsqueeze(-1) + self.eps)
        return y * mean.mean()


def get_inputs():
    return [torch.randn(2, 3, 16)]
