# target: whiten
import torch
from torch import Tensor


def whiten(x: Tensor, gain: Tensor) -> Tensor:
    return torch.relu(torch.nn.functional.layer_norm(x, x.shape[-1:], eps=1e-5) * gain)


def get_inputs():
    return [torch.randn(4, 24), torch.randn(24)]
