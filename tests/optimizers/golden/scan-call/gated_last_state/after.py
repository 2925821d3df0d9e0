# target: Gated
import torch
from torch import nn


def linear_scan(decays, values, first):
    """h[t] = decays[t] * h[t - 1] + values[t] for all t, with h[-1] = first, in log2(steps) passes."""
    if not len(values):
        return (decays.sum(0) * first + values.sum(0)).unsqueeze(0)[:0]
    start = decays[0] * first + values[0]
    count = len(values)
    decays = decays.reshape(count, *[1] * (start.dim() + 1 - decays.dim()), *decays.shape[1:])
    values = values.reshape(count, *[1] * (start.dim() + 1 - values.dim()), *values.shape[1:])
    steps = torch.cat((start.unsqueeze(0), values[1:].expand(-1, *start.shape)))
    shift = 1
    while shift < count:
        steps = torch.cat((steps[:shift], steps[shift:] + decays[shift:] * steps[:-shift]))
        decays = torch.cat((decays[:shift], decays[shift:] * decays[:-shift]))
        shift *= 2
    return steps


class Gated(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gate = nn.Linear(width, 1)
        self.values = nn.Linear(width, width)
        self.start = nn.Parameter(torch.randn(width))

    def forward(self, x):
        steps = x.size(1)
        z = torch.sigmoid(self.gate(x))
        v = self.values(x)
        h = self.start
        def one_i(z_i, v_i):
            return 1 - z_i, z_i * v_i
        h_decays, h_values = torch.vmap(one_i, in_dims=(1, 1))(z[:, :steps], v[:, :steps])
        h_steps = linear_scan(h_decays, h_values, h)
        h = h_steps[-1].clone() if len(h_steps) else h
        return h


def get_init_inputs():
    return [6]


def get_inputs():
    return [torch.randn(3, 10, 6)]
