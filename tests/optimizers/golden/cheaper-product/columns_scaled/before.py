# target: rescale
import torch
from torch import diag_embed


def rescale(u, s, v):
    scaled = u @ diag_embed(s)
    return scaled @ v.mT


def get_inputs():
    return [torch.randn(2, 5, 3), torch.rand(2, 3), torch.randn(2, 4, 3)]
