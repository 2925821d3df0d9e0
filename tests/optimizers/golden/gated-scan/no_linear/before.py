# target: Cells
import torch
from torch import nn


class Cells(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Linear(width, width)

    def forward(self, x):
        h = torch.zeros_like(x[:, 0])
        outs = []
        for t in range(x.size(1)):
            h = torch.tanh(self.inner(h) + x[:, t])
            outs.append(h)
        g = torch.zeros_like(x[:, 0])
        for t in range(x.size(1)):
            g = torch.sigmoid(g) * g + x[:, t]
            outs.append(g)
        m = torch.zeros_like(x[0])
        for t in range(x.size(0)):
            m = m @ m.T @ x[t] + x[t]
        c = torch.zeros_like(x[:, 0])
        for t in range(x.size(1)):
            c = torch.clamp(0.9 * c + x[:, t], max=1.0)
            outs.append(c)
        return torch.stack(outs, dim=1) + m.sum()


def get_init_inputs():
    return [5]


def get_inputs():
    return [torch.randn(5, 5, 5)]
