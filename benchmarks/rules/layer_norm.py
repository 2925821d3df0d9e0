"""LayerNorm by hand, as tutorials write it."""

from __future__ import annotations

import torch
from torch import nn

SIZE, DTYPE = ((8, 1024, 4096), torch.bfloat16) if torch.cuda.is_available() else ((8, 128, 512), torch.float32)


class LayerNorm(nn.Module):
    def __init__(self, dim: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.scale = nn.Parameter(torch.ones(dim, dtype=DTYPE))
        self.shift = nn.Parameter(torch.zeros(dim, dtype=DTYPE))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean = x.mean(dim=-1, keepdim=True)
        var = x.var(dim=-1, keepdim=True, unbiased=False)
        norm_x = (x - mean) / torch.sqrt(var + self.eps)
        return self.scale * norm_x + self.shift


def get_init_inputs() -> list[int]:
    return [SIZE[-1]]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(*SIZE, dtype=DTYPE, requires_grad=True)]
