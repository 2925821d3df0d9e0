# target: Hyena
import torch
from torch import nn


class Hyena(nn.Module):
    def __init__(self, width, order=2, short_filter_order=3):
        super().__init__()
        inner = width * (order + 1)
        self.in_proj = nn.Linear(width, inner)
        self.short_filter = nn.Conv1d(inner, inner, short_filter_order, padding=short_filter_order - 1, groups=inner)

    def forward(self, u):
        return self.filtered(self.in_proj(u))

    def filtered(self, u):
        l = u.size(-2)
        u = u.transpose(-1, -2)
        return self.short_filter(u)[..., :l]


def get_init_inputs():
    return [4]


def get_inputs():
    return [torch.randn(2, 9, 4)]
