# target: Rotated
import torch
from torch import nn


def broadcastable(angles, like):
    shape = [size if place in (1, like.ndim - 1) else 1 for place, size in enumerate(like.shape)]
    return angles.view(*shape)


class Rotated(nn.Module):
    def __init__(self):
        super().__init__()
        speeds = 1.0 / (100.0 ** (torch.arange(0, 8, 2).float() / 8))
        turns = torch.outer(torch.arange(16).float(), speeds)
        self.register_buffer("turns", torch.polar(torch.ones_like(turns), turns), persistent=False)

    def forward(self, q, k):
        q_ = torch.view_as_complex(q.float().reshape(*q.shape[:-1], -1, 2))
        k_ = torch.view_as_complex(k.float().reshape(*k.shape[:-1], -1, 2))
        turns = broadcastable(self.turns[: q.shape[1]], q_)
        q_out = torch.view_as_real(q_ * turns).flatten(3)
        k_out = torch.view_as_real(k_ * turns).flatten(3)
        return torch.cat((q_out.type_as(q), k_out.type_as(k)), dim=2)


def get_inputs():
    return [torch.randn(2, 6, 4, 8), torch.randn(2, 6, 2, 8)]
