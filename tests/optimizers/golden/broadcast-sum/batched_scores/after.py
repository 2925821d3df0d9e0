# target: AdditivePairs
import torch
from torch import nn


class AdditivePairs(nn.Module):
    def __init__(self, dim, heads_dim):
        super().__init__()
        self.scale = heads_dim**-0.5
        self.query = nn.Linear(dim, heads_dim)
        self.key = nn.Linear(dim, heads_dim)

    def forward(self, x, y):
        q = self.query(x)
        k = self.key(y)
        dtype = torch.result_type(q, k)
        return q.to(dtype) @ k.mT.to(dtype) * self.scale


def get_init_inputs():
    return [6, 4]


def get_inputs():
    return [torch.randn(2, 5, 6), torch.randn(2, 3, 6)]
