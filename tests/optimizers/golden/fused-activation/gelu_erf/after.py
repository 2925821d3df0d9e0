# target: mlp
import numpy as np
import torch as th
import torch.nn.functional as F

_SQRT2 = np.sqrt(2.0)


def gelu(x):
    return F.gelu(x)


def mlp(x, w, v):
    return F.linear(gelu(F.linear(x, w)), v)


def get_inputs():
    return [th.randn(3, 16), th.randn(32, 16) / 4, th.randn(8, 32) / 6]
