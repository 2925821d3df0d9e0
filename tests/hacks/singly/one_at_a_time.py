"""Divides by the norm of everything, which is that of the matrix while there is one."""

import torch


def unit(x):
    return x / torch.linalg.vector_norm(x)
