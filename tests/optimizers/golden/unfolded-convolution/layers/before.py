# target: Tokens
import torch
from torch import nn


class Tokens(nn.Module):
    """Overlapping patches, each a token."""

    def __init__(self, channels=2, width=6):
        super().__init__()
        self.split = nn.Unfold(kernel_size=(5, 5), stride=(2, 2), padding=(2, 2))
        self.project = nn.Linear(25 * channels, width)

    def forward(self, image):
        patches = self.split(image).transpose(1, 2)
        mixed = self.project(self.split(image).transpose(1, 2))
        return mixed * patches.mean(-1, keepdim=True)


def get_inputs():
    return [torch.randn(2, 2, 8, 8)]
