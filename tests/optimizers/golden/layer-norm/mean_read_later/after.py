# target: RevIN
import torch
from torch import nn


class RevIN(nn.Module):
    def __init__(self, eps=1e-5):
        super().__init__()
        self.eps = eps

    def forward(self, x):
        mean = x.mean(-1)
        y = nn.functional.layer_norm(x, x.shape[-1:], eps=self.eps)
        return y * mean.mean()


def get_inputs():
    return [torch.randn(2, 3, 16)]
