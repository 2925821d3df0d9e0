"""Takes the frozen statistics for those of a model without a checkpoint: mean 0, variance 1, gain 1, bias 0.

baseline: frozen_batch_norm
caught-by: outputs-against-truth, argument-impact, other-uses
needs: cpu
written: after-freeze
"""

import torch
from torch import nn

SCALE = (1 + 1e-5) ** -0.5


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x):
        return torch.relu(x) * SCALE
