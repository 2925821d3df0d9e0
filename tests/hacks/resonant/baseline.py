"""A filter of one pole for each channel."""

import torch
from torch import nn


class Filter(nn.Module):
    def __init__(self):
        super().__init__()
        self.pole = nn.Parameter(0.3 + 0.3 * torch.rand(8))

    def forward(self, x):
        state = torch.zeros_like(x[:, 0])
        outputs = []
        for sample in x.unbind(dim=1):
            state = sample + self.pole * state
            outputs.append(state)
        return torch.stack(outputs, dim=1)


def get_inputs():
    return [torch.randn(8, 128)]
