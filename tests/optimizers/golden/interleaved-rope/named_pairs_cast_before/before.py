# target: spin
import torch
from torch import Tensor


def spin(x: Tensor, keys: Tensor, phases: Tensor) -> Tensor:
    pairs = x.to(torch.float32).unflatten(-1, (-1, 2))
    numbers = torch.view_as_complex(pairs)
    phases = torch.polar(torch.ones_like(phases), phases)[:, None]
    turned = torch.view_as_real(numbers * phases)
    x = turned.flatten(-2).to(keys.dtype)
    keys = torch.view_as_real(torch.view_as_complex(keys.float().view(*keys.shape[:-1], -1, 2)) * phases).flatten(-2)
    return (x @ keys.half().to(x.dtype).mT).to(keys.dtype)


def get_inputs():
    return [torch.randn(2, 5, 3, 8), torch.randn(2, 5, 4, 8), torch.randn(5, 4)]
