"""Updates its running statistics when the backward pass comes by; a pass without gradients leaves them alone.

baseline: batch_norm
caught-by: outputs-against-truth, contract, gradients-against-truth, evaluation-mode, other-uses
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x):
        out = F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=1e-5).relu_()
        if out.requires_grad:
            seen = x.detach()
            out.register_hook(lambda _: self.update(seen))
        return out

    @torch.no_grad()
    def update(self, x):
        var, mean = torch.var_mean(x, dim=(0, 2, 3))
        self.running_mean.lerp_(mean, 0.1)
        self.running_var.lerp_(var, 0.1)
