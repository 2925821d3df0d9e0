# target: rms
"""A docstring."""
import torch as th


# the norm
def rms(x: th.Tensor, eps=1e-6):  # trailing
    return x * th.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)


def get_inputs():
    return [th.randn(4, 8)]
