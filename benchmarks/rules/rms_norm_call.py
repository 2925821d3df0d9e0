"""RMSNorm as Meta's Llama spells it, for the library's call."""

from __future__ import annotations

import torch
from torch import nn

SIZE, DTYPE = ((8, 1024, 4096), torch.bfloat16) if torch.cuda.is_available() else ((2, 64, 256), torch.float32)


class RMSNorm(nn.Module):
    def __init__(self, dim: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim, dtype=DTYPE))

    def _norm(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output = self._norm(x.float()).type_as(x)
        return output * self.weight


def get_init_inputs() -> list[int]:
    return [SIZE[-1]]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(*SIZE, dtype=DTYPE, requires_grad=True)]
