# target: GatedDelta
import torch
import torch.nn.functional as F
from torch import nn


class GatedDelta(nn.Module):
    def __init__(self, hidden, dim):
        super().__init__()
        self.q_proj = nn.Linear(hidden, dim, bias=False)
        self.k_proj = nn.Linear(hidden, dim, bias=False)
        self.q_conv1d = nn.Conv1d(dim, dim, 4, padding=3, groups=dim, bias=False)
        self.k_conv1d = nn.Conv1d(dim, dim, 4, padding=3, groups=dim, bias=False)

    def forward(self, x):
        q = F.silu(self.q_conv1d(self.q_proj(x).permute(0, 2, 1))[..., : x.shape[1]].permute(0, 2, 1))
        k = self.k_proj(x)
        k = F.silu(self.k_conv1d(k.mT)[..., :-3]).mT
        return q * k


def get_init_inputs():
    return [6, 8]


def get_inputs():
    return [torch.randn(2, 9, 6)]
