# target: Mixer
import torch
import torch.nn.functional as F
from torch import nn


def linear_scan(decays, values, first):
    """h[t] = decays[t] * h[t - 1] + values[t] for all t, with h[-1] = first, in log2(steps) passes."""
    if not len(values):
        return (decays.sum(0) * first + values.sum(0)).unsqueeze(0)[:0]
    start = decays[0] * first + values[0]
    count = len(values)
    decays = decays.reshape(count, *[1] * (start.dim() + 1 - decays.dim()), *decays.shape[1:])
    values = values.reshape(count, *[1] * (start.dim() + 1 - values.dim()), *values.shape[1:])
    steps = torch.cat((start.unsqueeze(0), values[1:].expand(-1, *start.shape)))
    shift = 1
    while shift < count:
        steps = torch.cat((steps[:shift], steps[shift:] + decays[shift:] * steps[:-shift]))
        decays = torch.cat((decays[:shift], decays[shift:] * decays[:-shift]))
        shift *= 2
    return steps


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
        def one_i(deltaA_i, deltaB_u_i):
            return deltaA_i, deltaB_u_i
        x_decays, x_values = torch.vmap(one_i, in_dims=(1, 1))(deltaA[:, :l], deltaB_u[:, :l])
        x_steps = linear_scan(x_decays, x_values, x)
        def one_i_2(x_steps_i, C_i):
            x = x_steps_i
            y = torch.einsum("bdn,bn->bd", x, C_i)
            return y
        ys = torch.vmap(one_i_2, in_dims=(0, 1), out_dims=1)(x_steps[:l], C[:, :l])
        y = ys
        return y + u * self.D


def get_init_inputs():
    return [6, 4]


def get_inputs():
    return [torch.randn(2, 11, 6)]
