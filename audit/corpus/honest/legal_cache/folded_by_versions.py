"""Keeps its folded statistics while all four buffers are the same objects in the same versions.

baseline: frozen_batch_norm
needs: cpu
written: after-freeze
"""

import torch
from torch import nn

NAMES = ("weight", "bias", "running_mean", "running_var")


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.kept = None

    def folded(self):
        buffers = [self._buffers[name] for name in NAMES]
        versions = [buffer._version for buffer in buffers]
        kept = self.kept
        if kept is None or kept[1] != versions or any(a is not b for a, b in zip(kept[0], buffers, strict=True)):
            weight, bias, mean, var = (buffer[:, None, None] for buffer in buffers)
            scale = weight / torch.sqrt(var + 1e-5)
            kept = self.kept = buffers, versions, mean.clone(), scale, bias.clone()
        return kept[2:]

    def __deepcopy__(self, memo):
        copied = type(self)(self.weight.shape[0]).to(self.weight)
        copied.load_state_dict(self.state_dict())
        return copied.train(self.training)

    def forward(self, x):
        mean, scale, bias = self.folded()
        return torch.addcmul(bias, x - mean, scale).relu_()
