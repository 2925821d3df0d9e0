# target: rotary
import torch


def spread(angles, x):
    return angles.view(1, x.size(1), 1, x.shape[-1])


def kept(angles, x):
    return angles.view(1, x.size(1), 1, x.shape[-1]).to(x.dtype)


def rotary(q, k, angles):
    q_ = torch.view_as_complex(q.float().reshape(*q.shape[:-1], -1, 2))
    k_ = torch.view_as_complex(k.float().reshape(*k.shape[:-1], -1, 2))
    turns, others = spread(angles, q_), kept(angles, k_)
    q_out = torch.view_as_real(q_ * turns).flatten(3)
    k_out = torch.view_as_real(k_ * others).flatten(3)
    return q_out.to(q.dtype) @ k_out.to(q.dtype).mT


def get_inputs():
    return [torch.randn(2, 6, 4, 8), torch.randn(2, 6, 3, 8), torch.polar(torch.ones(6, 4), torch.randn(6, 4))]
