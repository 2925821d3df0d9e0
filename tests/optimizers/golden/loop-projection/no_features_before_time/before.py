# target: Net
import torch
from torch import nn


class Net(nn.Module):
    """Channels before time: what follows the index is not what the layer maps, or nobody knows."""

    def __init__(self, channels):
        super().__init__()
        self.ih = nn.Linear(channels, channels)

    def forward(self, x, rows):
        B, C, T = x.shape
        h = x.new_zeros(B, C)
        for t in range(T):
            h = torch.tanh(self.ih(x[:, :, t]) + h)
        s = 0.0
        for t in range(rows.shape[1]):
            s = torch.tanh(self.ih(rows[:, t]) + s)
        return h + s


def get_init_inputs():
    return [5]


def get_inputs():
    return [torch.randn(3, 5, 7), torch.randn(5, 5)]
