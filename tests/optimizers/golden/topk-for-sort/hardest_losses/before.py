# target: ohem
import torch
from torch import Tensor


def ohem(loss: Tensor, keep: float = 0.25) -> Tensor:
    flat = loss.flatten()
    n = max(1, int(flat.numel() * keep))
    ordered = torch.sort(flat, descending=True)[0]
    return ordered[:n].mean()


def get_inputs():
    return [torch.rand(4, 10)]
