# target: T5LayerNorm
import torch
from torch import nn


class T5LayerNorm(nn.Module):
    def __init__(self, hidden_size, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size))
        self.variance_epsilon = eps

    def forward(self, hidden_states):
        hidden_states = nn.functional.rms_norm(
            hidden_states.to(torch.promote_types(hidden_states.dtype, torch.float32)),
            hidden_states.shape[-1:],
            eps=self.variance_epsilon,
        )

        # convert into half-precision if necessary
        if self.weight.dtype in [torch.float16, torch.bfloat16]:
            hidden_states = hidden_states.to(self.weight.dtype)

        return self.weight * hidden_states


def get_init_inputs():
    return [32]


def get_inputs():
    return [torch.randn(2, 5, 32)]
