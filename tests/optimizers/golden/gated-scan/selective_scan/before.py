# target: Mixer
import torch
import torch.nn.functional as F
from torch import nn


class Mixer(nn.Module):
    def __init__(self, width, states):
        super().__init__()
        self.A_log = nn.Parameter(torch.log(torch.arange(1, states + 1).float().repeat(width, 1)))
        self.D = nn.Parameter(torch.ones(width))
        self.x_proj = nn.Linear(width, 2 * states + 1)
        self.states = states

    def forward(self, u):
        b, l, d = u.shape
        A = -torch.exp(self.A_log)
        delta, B, C = self.x_proj(u).split([1, self.states, self.states], dim=-1)
        delta = F.softplus(delta).expand(b, l, d)
        deltaA = torch.exp(torch.einsum("bld,dn->bldn", delta, A))
        deltaB_u = torch.einsum("bld,bln,bld->bldn", delta, B, u)
        x = torch.zeros(b, d, self.states, device=u.device)
        ys = []
        for i in range(l):
            x = deltaA[:, i] * x + deltaB_u[:, i]
            y = torch.einsum("bdn,bn->bd", x, C[:, i, :])
            ys.append(y)
        y = torch.stack(ys, dim=1)
        return y + u * self.D


def get_init_inputs():
    return [6, 4]


def get_inputs():
    return [torch.randn(2, 11, 6)]
