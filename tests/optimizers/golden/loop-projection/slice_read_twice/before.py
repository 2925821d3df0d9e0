# target: Gated
import torch
from torch import nn


class Gated(nn.Module):
    def __init__(self, inputs, hidden):
        super().__init__()
        self.hidden = hidden
        self.ih = nn.Linear(inputs, hidden)
        self.hh = nn.Linear(hidden, hidden)
        self.head = nn.Linear(hidden, 2)

    def forward(self, x):
        B, T, _ = x.size()
        h = x.new_zeros(B, self.hidden)
        ys = []
        for t in range(1, T):
            xt = x[:, t]
            gate = torch.sigmoid(self.ih(xt)) * xt.mean(-1, keepdim=True)
            h = torch.tanh(self.hh(h)) * gate
            ys.append(self.head(h))
        return torch.stack(ys, dim=1).log_softmax(-1)


def get_init_inputs():
    return [5, 6]


def get_inputs():
    return [torch.randn(3, 7, 5)]
