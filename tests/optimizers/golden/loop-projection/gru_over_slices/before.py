# target: GRU
import torch
from torch import nn


class GRU(nn.Module):
    """x: (batch, time, features)."""

    def __init__(self, n_in, n_hid):
        super().__init__()
        self.n_hid = n_hid
        self.W_z = nn.Linear(n_in, n_hid)
        self.W_n = nn.Linear(n_in, n_hid)
        self.U_z = nn.Linear(n_hid, n_hid, bias=False)
        self.U_n = nn.Linear(n_hid, n_hid, bias=False)
        self.out = nn.Linear(n_hid, 3)

    def forward(self, x):
        h = x.new_zeros(x.size(0), self.n_hid)
        outputs = []
        for x_t in x.unbind(1):
            z = torch.sigmoid(self.W_z(x_t) + self.U_z(h))
            n = torch.tanh(self.W_n(x_t) + self.U_n(h))
            h = (1 - z) * h + z * n
            outputs.append(self.out(h))
        return torch.stack(outputs, 1)


def get_init_inputs():
    return [5, 6]


def get_inputs():
    return [torch.randn(3, 7, 5)]
