# target: Rotary
import torch
import torch.nn as nn


class Rotary(nn.Module):
    def __init__(self, width: int = 8, base: float = 100.0):
        super().__init__()
        self.register_buffer("speeds", base ** -(torch.arange(0, width, 2).float() / width), persistent=False)

    def turn(self, x, cos, sin):
        # neighbours make a pair
        even, odd = x[..., 0::2], x[..., 1::2]
        first = even * cos - odd * sin
        second = even * sin + odd * cos
        return torch.stack([first, second], dim=-1).flatten(-2).type_as(x)

    def forward(self, q, k):
        angles = torch.outer(torch.arange(q.shape[2], device=q.device), self.speeds)
        cos, sin = angles.cos(), angles.sin()
        return torch.cat((self.turn(q, cos, sin), self.turn(k, cos, sin)), dim=1)


def get_inputs():
    return [torch.randn(2, 4, 6, 8), torch.randn(2, 2, 6, 8)]
