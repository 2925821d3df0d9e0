# target: gram
import numpy as np
import torch


def gram(x):
    table = np.arange(12.0).reshape(4, 3)
    pairs = (np.asarray(table)[:, None, :] * np.ones((5, 3))[None, :, :]).sum(-1)
    return x @ torch.from_numpy(pairs)


def get_inputs():
    return [torch.randn(2, 4, dtype=torch.float64)]
