# target: ohem
import torch
from torch import Tensor


def ohem(loss: Tensor, keep: float = 0.25) -> Tensor:
    flat = loss.flatten()
    n = max(1, int(flat.numel() * keep))
    ordered = torch.topk(flat, min(n, flat.shape[-1]), dim=-1)[0]
    return ordered.mean()


def get_inputs():
    return [torch.rand(4, 10)]
