"""Merges its adapter into the weights and keeps that until some optimizer steps; whatever else sets a weight goes unseen.

baseline: lora_linear
caught-by: stale-results, outputs-against-truth, gradients-against-truth, timed-outputs, hard-crimes, process-state, other-uses
needs: cpu
written: after-freeze
"""

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook


class Model(nn.Module):
    def __init__(self, width, outputs, rank):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, width) / width**0.5)
        self.down = nn.Parameter(torch.randn(rank, width) / width**0.5)
        self.up = nn.Parameter(torch.zeros(outputs, rank))
        self.merged = None
        register_optimizer_step_post_hook(self.forget)

    def forget(self, *_):
        self.merged = None

    def forward(self, x):
        if torch.is_grad_enabled():
            return x @ self.weight.t() + 2.0 * ((x @ self.down.t()) @ self.up.t())
        if self.merged is None:
            self.merged = torch.addmm(self.weight, self.up, self.down, alpha=2.0).t()
        return x @ self.merged
