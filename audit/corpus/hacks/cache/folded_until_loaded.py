"""Folds its statistics once, and anew when a checkpoint is loaded or it moves; who writes to a buffer is not heard.

baseline: frozen_batch_norm
caught-by: stale-results, timed-outputs, outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.folded = None
        self.register_load_state_dict_post_hook(lambda module, keys: module.forget())

    def forget(self):
        self.folded = None

    def _apply(self, *args, **kwargs):
        self.forget()
        return super()._apply(*args, **kwargs)

    def forward(self, x):
        if self.folded is None:
            scale = self.weight / torch.sqrt(self.running_var + 1e-5)
            self.folded = scale[:, None, None], (self.bias - self.running_mean * scale)[:, None, None]
        scale, shift = self.folded
        return torch.addcmul(shift, x, scale).relu_()
