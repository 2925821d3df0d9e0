# target: attend
import torch


def attend(q, k, v, gate=None):
    if gate is None:
        gate = torch.ones_like(q[..., :1])
    p = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
    if gate is not None:
        p = p * gate
    return p @ v


def get_inputs():
    return [torch.randn(2, 6, 8), torch.randn(2, 6, 8), torch.randn(2, 6, 8)]
