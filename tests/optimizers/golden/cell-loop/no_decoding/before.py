# target: Decoder
import torch
from torch import nn


class Decoder(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.cell = nn.GRUCell(width, width)
        self.upper = nn.GRUCell(width, width)
        self.lstm = nn.LSTMCell(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x, mask):
        h = torch.zeros_like(x[:, 0])
        step = x[:, 0]
        outs = []
        for t in range(x.size(1)):
            h = self.cell(step, h)
            step = self.out(h)
            outs.append(step)
        low, high = torch.zeros_like(h), torch.zeros_like(h)
        for t in range(x.size(1)):
            low = self.cell(x[:, t], low)
            high = self.upper(low, high)
            outs.append(high)
        kept = torch.zeros_like(h)
        for t in range(x.size(1)):
            new = self.cell(x[:, t], kept)
            kept = torch.where(mask[:, t : t + 1], new, kept)
            outs.append(kept)
        masked = torch.zeros_like(h)
        for t in range(x.size(1)):
            masked = self.cell(x[:, t], masked)
            masked = masked * mask[:, t : t + 1]
            outs.append(masked)
        a, c = torch.zeros_like(h), torch.zeros_like(h)
        for t in range(x.size(1)):
            a, c = self.lstm(x[:, t], (a, c))
            outs.append(a + c)
        fed = torch.zeros_like(h)
        for t in range(x.size(1)):
            fed = self.cell(x[:, t] + fed, fed)
            outs.append(fed)
        return torch.stack(outs, dim=1)


def get_init_inputs():
    return [5]


def get_inputs():
    return [torch.randn(3, 6, 5), torch.rand(3, 6) < 0.7]
