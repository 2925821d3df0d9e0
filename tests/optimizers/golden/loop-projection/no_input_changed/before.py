# target: Net
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.ih = nn.Linear(width, width)
        self.emb = nn.Embedding(9, width, max_norm=1.0)

    def forward(self, x, tokens):
        B, T, _ = x.shape
        y = x.clone()
        z = y
        for t in range(T):
            step = self.ih(y[:, t, :])
            if t + 1 < T:
                z[:, t + 1] += step
        h = 0.0
        for t in range(T):
            h = torch.tanh(self.ih(x[:, t]) + h)
            if h.norm() > 100:
                break
        for t in range(T):
            h = h + self.emb(tokens[:, t])
        for t in range(2):
            h = h + self.ih(x[:, t])
        return y + h.unsqueeze(1)


def get_init_inputs():
    return [5]


def get_inputs():
    return [torch.randn(3, 4, 5), torch.ones(3, 4, dtype=torch.long)]
