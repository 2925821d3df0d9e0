# target: Scaled
import torch
from torch import nn


class Scaled(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.width = width
        self.down = nn.Linear(width, width)

    def forward(self, x):
        root = torch.sqrt(torch.tensor(self.width, dtype=x.dtype, device="cpu"))
        most = torch.as_tensor(3.0, device="cpu")
        y = torch.tanh(self.down(x))
        y = torch.where((y.abs() > most), y.sign(), y)
        return y.float() / root


def get_inputs():
    return [torch.randn(4, 8)]
