# target: norm
import numpy as np
import torch


def norm(x):
    rows = np.asarray(x)
    mean = rows.mean(-1, keepdims=True)
    var = ((rows - mean) ** 2).mean(-1, keepdims=True)
    return torch.from_numpy((rows - mean) / (var + 1e-5) ** 0.5)


def get_inputs():
    return [torch.randn(2, 16)]
