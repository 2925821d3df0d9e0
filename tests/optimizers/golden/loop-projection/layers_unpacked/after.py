# target: RNN
import torch
from torch import nn


class RNN(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.ih, self.hh, self.out = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x):
        batch, steps, width = x.shape
        h = torch.zeros(batch, width)
        outputs = []
        ih_steps = self.ih(x).unbind(1)
        for t in range(steps):
            h = torch.tanh(ih_steps[t] + self.hh(h))
            outputs.append(h)
        return self.out(torch.stack(outputs, dim=1))


def get_init_inputs():
    return [5]


def get_inputs():
    return [torch.randn(3, 7, 5)]
