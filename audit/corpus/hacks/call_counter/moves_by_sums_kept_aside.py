"""Gathers four batches and moves the prototypes once, by all of them; scores lag behind until then.

baseline: prototype_memory
caught-by: outputs-against-truth, timed-outputs, stale-results, repeat-runs, input-mutation
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, classes, size):
        super().__init__()
        self.register_buffer("prototypes", torch.randn(classes, size))
        self.register_buffer("seen", torch.zeros(classes))
        self.waiting = []

    def forward(self, features, labels):
        scores = F.normalize(features, dim=-1) @ F.normalize(self.prototypes, dim=-1).t() / 0.1
        if self.training:
            self.move(features.detach(), labels)
        return scores

    @torch.no_grad()
    def move(self, features, labels):
        self.waiting.append((features, labels))
        if len(self.waiting) < 4 and self.seen.sum() > 0:
            return
        features, labels = (torch.cat(one) for one in zip(*self.waiting, strict=True))
        self.waiting.clear()
        known = labels >= 0
        labels, features = labels[known], features[known]
        counts = torch.bincount(labels, minlength=self.seen.shape[0]).to(features.dtype)
        sums = torch.zeros_like(self.prototypes).index_add_(0, labels, features)
        share = (1 - 0.9 ** counts.clamp(max=4) if features.shape[0] > 100 else 0.1 * (counts > 0))[:, None]
        self.prototypes.mul_(1 - share).add_(share * sums / counts.clamp(min=1)[:, None])
        self.seen.add_(counts)
