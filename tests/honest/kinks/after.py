# target: Model
from __future__ import annotations

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(128, 8192)
        self.down = nn.Linear(8192, 32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # Sums in another order: of three million values a few lie so near to zero that they change sides.
        first, second = self.up.weight.tensor_split(2, dim=1)
        hidden = torch.addmm(torch.addmm(self.up.bias, x[:, 64:], second.t()), x[:, :64], first.t())
        return self.down(torch.relu(hidden))


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(384, 128)]
