# target: chosen
import numpy as np
import torch


def chosen(x, labels):
    total = x.new_zeros(4)
    for c in range(4):
        mask = labels == c
        total[c] = x[mask].sum()
    where = np.where(labels == 1)
    return total + len(where)


def get_inputs():
    return [torch.randn(9), np.arange(9) % 4]
