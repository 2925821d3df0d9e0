# target: weights
import numpy as np
import torch


def weights(x):
    a = x.numpy()
    e = np.exp(a - a.max(-1, keepdims=True))
    return torch.from_numpy(e / e.sum(-1, keepdims=True))


def get_inputs():
    return [torch.randn(5, 8)]
