# target: correlate
import torch as th


def correlate(a, b):
    out = th.zeros(a.shape[0], b.shape[0], dtype=a.dtype, device=a.device)
    def one_i(a_i):
        def one_j(b_j):
            return (a_i * b_j).sum()
        return th.vmap(one_j)(b)
    out[:a.shape[0], :b.shape[0]] = th.vmap(one_i)(a)
    return out


def get_inputs():
    return [th.randn(4, 8), th.randn(3, 8)]
