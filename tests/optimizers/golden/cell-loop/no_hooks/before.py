# target: Hooked
import torch
from torch import nn


class Hooked(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.cell = nn.GRUCell(width, width)
        self.cell.register_forward_hook(lambda module, args, out: out * 2)

    def forward(self, x):
        h = torch.zeros_like(x[:, 0])
        outs = []
        for t in range(x.size(1)):
            h = self.cell(x[:, t], h)
            outs.append(h)
        return torch.stack(outs, dim=1)


def get_init_inputs():
    return [5]


def get_inputs():
    return [torch.randn(3, 6, 5)]
