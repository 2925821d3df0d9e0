# target: whiten
import torch
from torch import Tensor


def whiten(x: Tensor, gain: Tensor) -> Tensor:
    x = x - x.mean(dim=-1, keepdim=True)
    variance = x.square().mean(dim=-1, keepdim=True)
    x = x * (variance + 1e-5) ** -0.5
    return torch.relu(x * gain)


def get_inputs():
    return [torch.randn(4, 24), torch.randn(24)]
