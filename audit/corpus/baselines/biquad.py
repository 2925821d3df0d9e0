"""A bank of second-order filters over a stream that comes in blocks: what the filters remember is carried to the next block."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.taps = nn.Parameter(torch.randn(channels, 3))
        self.radius = nn.Parameter(0.3 + 0.4 * torch.rand(channels))
        self.angle = nn.Parameter(3 * torch.rand(channels))
        self.register_buffer("memory", torch.zeros(channels, 2))

    def forward(self, x):
        taps = self.taps.unbind(dim=1)
        back = -2 * self.radius * self.angle.cos(), self.radius.square()
        first, second = self.memory.clone().unbind(dim=1)
        outputs = []
        for sample in x.unbind(dim=1):
            output = taps[0] * sample + first
            first = taps[1] * sample - back[0] * output + second
            second = taps[2] * sample - back[1] * output
            outputs.append(output)
        self.memory.copy_(torch.stack([first, second], dim=1).detach())
        return torch.stack(outputs, dim=1)


def get_inputs():
    return [torch.randn(32, 256)]


def get_init_inputs():
    return [32]
