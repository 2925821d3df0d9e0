# target: MoE
import torch
from torch import nn


class Noisy(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(8, 8)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        return self.drop(self.up(x))


class Doubling(nn.Module):
    def __call__(self, x):
        return 2 * super().__call__(x)


class Doubled(Doubling):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(8, 8)

    def forward(self, x):
        return self.up(x)


class MoE(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(8, 8), nn.Linear(8, 8, bias=False)])
        self.growing = nn.ModuleList([nn.Linear(8, 8, bias=i > 0) for i in range(2)])
        self.wider = nn.ModuleList([nn.Linear(8, 8 + i) for i in range(2)])
        self.doubled = nn.ModuleList([Doubled() for _ in range(2)])
        self.noisy = nn.ModuleList([Noisy() for _ in range(2)])

    def forward(self, x, ids):
        out = torch.zeros_like(x)
        for i in range(2):
            token, slot = torch.where(ids == i)
            out.index_add_(0, token, self.layers[i](x[token]))
        for i, layer in enumerate(self.growing):
            token, slot = torch.where(ids == i)
            out.index_add_(0, token, layer(x[token]))
        for i, layer in enumerate(self.wider):
            token, slot = torch.where(ids == i)
            out.index_add_(0, token, layer(x[token]))
        for i, layer in enumerate(self.doubled):
            token, slot = torch.where(ids == i)
            out.index_add_(0, token, layer(x[token]))
        for i, layer in enumerate(self.noisy):
            token, slot = torch.where(ids == i)
            out.index_add_(0, token, layer(x[token]))
        return out


def get_inputs():
    return [torch.randn(9, 8), torch.randint(0, 2, (9, 2))]
