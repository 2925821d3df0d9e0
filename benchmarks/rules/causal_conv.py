"""The short convolution of Mamba, between its projections' layout and its scan's."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

SIZE, DTYPE = ((4, 2048, 4096), torch.bfloat16) if torch.cuda.is_available() else ((2, 64, 128), torch.float32)


class ShortConvolution(nn.Module):
    def __init__(self, d_inner: int, d_conv: int = 4) -> None:
        super().__init__()
        self.conv1d = nn.Conv1d(
            d_inner, d_inner, kernel_size=d_conv, groups=d_inner, padding=d_conv - 1, bias=True, dtype=DTYPE
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = x.shape[1]
        x = x.transpose(1, 2)
        x = self.conv1d(x)[:, :, :length]
        x = x.transpose(1, 2)
        return F.silu(x)


def get_init_inputs() -> list[int]:
    return [SIZE[-1]]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(*SIZE, dtype=DTYPE, requires_grad=True)]
