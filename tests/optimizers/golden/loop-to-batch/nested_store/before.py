# target: correlate
import torch as th


def correlate(a, b):
    out = th.zeros(a.shape[0], b.shape[0], dtype=a.dtype, device=a.device)
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            out[i, j] = (a[i] * b[j]).sum()
    return out


def get_inputs():
    return [th.randn(4, 8), th.randn(3, 8)]
