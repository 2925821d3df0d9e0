# target: quantized
import torch


def quantized(x, codebook):
    nearest = torch.cdist(x, codebook).argmin(dim=1)
    encodings = torch.eye(codebook.shape[0], device=x.device)[nearest]
    return torch.mm(encodings, codebook)


def get_inputs():
    return [torch.randn(5, 4), torch.randn(9, 4)]
