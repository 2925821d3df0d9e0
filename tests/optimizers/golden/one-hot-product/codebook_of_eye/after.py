# target: quantized
import torch


def quantized(x, codebook):
    nearest = torch.cdist(x, codebook).argmin(dim=1)
    return codebook[nearest]


def get_inputs():
    return [torch.randn(5, 4), torch.randn(9, 4)]
