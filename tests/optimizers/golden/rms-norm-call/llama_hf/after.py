# target: LlamaRMSNorm
import torch
from torch import nn


class LlamaRMSNorm(nn.Module):
    def __init__(self, hidden_size, eps=1e-6):
        """LlamaRMSNorm is equivalent to T5LayerNorm"""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size))
        self.variance_epsilon = eps

    def forward(self, hidden_states):
        return nn.functional.rms_norm(hidden_states, hidden_states.shape[-1:], eps=self.variance_epsilon) * self.weight


def get_init_inputs():
    return [48]


def get_inputs():
    return [torch.randn(2, 5, 48)]
