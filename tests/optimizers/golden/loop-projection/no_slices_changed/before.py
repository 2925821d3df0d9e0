# target: Net
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.ih = nn.Linear(width, width)

    def forward(self, x, h):
        y = x.clone()
        for step in y.unbind(0):
            step.mul_(2.0)
            h = torch.tanh(self.ih(step) + h)
        for step in y.unbind(0):
            h = torch.tanh(self.ih(step) + h)
            if h.norm() > 100:
                break
        for step in y.unbind(0):
            h = torch.tanh(self.ih(step) + h)
            y = y + 1
        for step in y.unbind(2):
            h = torch.tanh(self.ih(step.new_ones(3, 5)) + h)
        for step in y.unbind(0):
            h = torch.tanh(self.ih(h))
        return h + step.sum() + y.sum()


def get_init_inputs():
    return [5]


def get_inputs():
    return [torch.randn(4, 3, 5), torch.randn(3, 5)]
