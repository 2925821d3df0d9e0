# target: Stacked
import torch
from torch import nn


class Stacked(nn.Module):
    """A list that an inner loop fills is another one for each layer."""

    def __init__(self, width, layers):
        super().__init__()
        self.hh = nn.Linear(width, width)
        self.layers = layers
        self.seen = []

    def forward(self, x):
        for _ in range(self.layers):
            h = torch.zeros_like(x[:, 0])
            outs = []
            for t in range(x.shape[1]):
                h = torch.tanh(self.hh(h) + x[:, t])
                outs.append(h)
            x = torch.stack(outs, dim=1)
        self.seen.clear()
        for t in range(3):
            self.seen.append(x[:, 0])
            x = x + torch.stack(self.seen).mean(0).unsqueeze(1)
        return x


def get_init_inputs():
    return [5, 2]


def get_inputs():
    return [torch.randn(2, 3, 5)]
