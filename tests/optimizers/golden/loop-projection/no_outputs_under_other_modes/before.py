# target: Net
import torch
from torch import nn


class Net(nn.Module):
    """The outputs are stacked under autocast, the layer runs without."""

    def __init__(self, width):
        super().__init__()
        self.hh = nn.Linear(width, width)
        self.out = nn.Linear(width, 3)

    def forward(self, h, steps: int = 3):
        ys = []
        for _ in range(steps):
            h = torch.tanh(self.hh(h))
            ys.append(self.out(h))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return torch.stack(ys)


def get_init_inputs():
    return [5]


def get_inputs():
    return [torch.randn(2, 5)]
