# target: Tokens
import torch
from torch import nn


def convolved(x, rows, kernel_size, bias=None, **how):
    """The columns of x that `unfold` makes, each times `rows`, without the columns."""
    if not rows.numel() or (bias is not None and bias.dtype != rows.dtype):
        columns = torch.nn.functional.unfold(x, kernel_size, **how).transpose(-1, -2)
        return torch.nn.functional.linear(columns, rows, bias).transpose(-1, -2)
    height, width = (kernel_size,) * 2 if isinstance(kernel_size, int) else (tuple(kernel_size) * 2)[:2]
    weight = rows.unflatten(1, (x.shape[-3], height, width))
    return torch.nn.functional.conv2d(x, weight, bias, **how).flatten(-2)


class Tokens(nn.Module):
    """Overlapping patches, each a token."""

    def __init__(self, channels=2, width=6):
        super().__init__()
        self.split = nn.Unfold(kernel_size=(5, 5), stride=(2, 2), padding=(2, 2))
        self.project = nn.Linear(25 * channels, width)

    def forward(self, image):
        patches = self.split(image).transpose(1, 2)
        mixed = convolved(image, self.project.weight, (5, 5), bias=self.project.bias, stride=(2, 2), padding=(2, 2)).transpose(-1, -2).contiguous()
        return mixed * patches.mean(-1, keepdim=True)


def get_inputs():
    return [torch.randn(2, 2, 8, 8)]
