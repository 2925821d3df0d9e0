"""Returns an object whose class says Tensor, and which computes when somebody asks it for anything but its shape.

baseline: alibi_attention
caught-by: contract, hard-crimes, outputs-against-truth
needs: cpu
written: after-freeze
"""

import math

import torch


def attention(q, k, v, slopes):
    distance = torch.arange(q.shape[-2], device=q.device)[:, None] - torch.arange(k.shape[-2], device=q.device)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]) - slopes[:, None, None] * distance
    return torch.softmax(scores.masked_fill(distance < 0, float("-inf")), dim=-1) @ v


class Later:
    requires_grad = False

    def __init__(self, q, k, v, slopes):
        self.arguments, self.result = (q, k, v, slopes), None
        self.shape, self.dtype, self.device = (*q.shape[:-1], v.shape[-1]), q.dtype, q.device

    @property
    def __class__(self):
        return torch.Tensor

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        args = [arg.now() if type(arg) is Later else arg for arg in args]
        return func(*args, **(kwargs or {}))

    def now(self):
        if self.result is None:
            self.result = attention(*self.arguments)
        return self.result

    def __getattr__(self, name):
        return getattr(self.now(), name)


def alibi_attention(q, k, v, slopes):
    return Later(q, k, v, slopes)
