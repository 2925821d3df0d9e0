# target: FP32LayerNorm
import torch
from torch import nn


class FP32LayerNorm(nn.Module):
    def __init__(self, hidden_size, eps=1e-12):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size))
        self.bias = nn.Parameter(torch.zeros(hidden_size))
        self.variance_epsilon = eps

    def forward(self, hidden_states):
        input_dtype = hidden_states.dtype
        return (nn.functional.layer_norm(
            hidden_states.float(), hidden_states.shape[-1:],
            weight=self.weight.float(),
            bias=self.bias.float(),
            eps=self.variance_epsilon,
        )).to(input_dtype)


def get_init_inputs():
    return [32]


def get_inputs():
    return [torch.randn(2, 5, 32)]
