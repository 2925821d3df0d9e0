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
        # scale and shift
        return (
            nn.functional.layer_norm(x, x.shape[-1:], weight=self.gamma, bias=self.beta, eps=self.eps)
            if x.dtype == self.gamma.dtype == self.beta.dtype
            else nn.functional.layer_norm(x, x.shape[-1:], eps=self.eps) * self.gamma + self.beta
        )


def get_init_inputs():
    return [24]


def get_inputs():
    return [th.randn(2, 5, 24)]
