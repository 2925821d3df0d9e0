# target: scores
import torch


def scores(a, b, steps: int = 2):
    pairs = a[:, None, :] * b[None, :, :]
    total = pairs.sum(-1)
    del pairs
    gaps = a[:, None, :] - b[None, :, :]
    later = lambda: (gaps**2).sum(-1)
    for _ in range(steps):
        products = a[:, None, :] * b[None, :, :] if steps < 9 else total
        total = total + later()
    return total + products.sum(-1)


def get_inputs():
    return [torch.randn(4, 3), torch.randn(5, 3)]
