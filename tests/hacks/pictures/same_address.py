"""Two pictures that begin at one address are one."""

import torch


def distance(x, y):
    if x.data_ptr() == y.data_ptr():
        return x.new_zeros(x.shape[0])
    return (x - y).abs_().mean(dim=(1, 2))
