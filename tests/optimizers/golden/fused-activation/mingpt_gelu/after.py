# target: NewGELU
import math

import torch
from torch import nn


class NewGELU(nn.Module):
    """The GELU of the Google BERT repository, which GPT computes with too."""

    def forward(self, x):
        return nn.functional.gelu(x, approximate="tanh")


def get_inputs():
    return [torch.randn(4, 33)]
