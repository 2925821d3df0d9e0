"""The GELU of GPT-2 as minGPT and kernel benchmarks write it."""

from __future__ import annotations

import math

import torch
from torch import nn

SIZE, DTYPE = ((8, 1024, 4096), torch.bfloat16) if torch.cuda.is_available() else ((8, 128, 512), torch.float32)


class NewGELU(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(*SIZE, dtype=DTYPE, requires_grad=True)]
