"""RMSNorm as Meta's Llama spells it, for the library's call."""

from __future__ import annotations

import torch
from torch import nn

SIZE, DTYPE = ((8, 1024, 4096), torch.bfloat16) if torch.cuda.is_available() else ((2, 64, 256), torch.float32)


class RMSNorm(nn.Module):
    def __init__(self, hidden_size: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size, dtype=DTYPE))
        self.variance_epsilon = eps

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        input_dtype = hidden_states.dtype
        hidden_states = hidden_states.to(torch.float32)
        variance = hidden_states.pow(2).mean(-1, keepdim=True)
        hidden_states = hidden_states * torch.rsqrt(variance + self.variance_epsilon)
        return self.weight * hidden_states.to(input_dtype)


def get_init_inputs() -> list[int]:
    return [SIZE[-1]]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(*SIZE, dtype=DTYPE, requires_grad=True)]
