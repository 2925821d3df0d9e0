"""Works in fp32 and hands out doubles."""

import torch


def spread(x):
    x = x.to(torch.float32)
    centred = x - x.mean(dim=-1, keepdim=True)
    return torch.linalg.vector_norm(centred, dim=-1).double()
