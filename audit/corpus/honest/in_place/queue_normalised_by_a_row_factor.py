"""One factor for each row, temperature included, and the key joins the queue by index_copy.

baseline: key_queue
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn

TEMPERATURE = 0.07


class Model(nn.Module):
    def __init__(self, width, length):
        super().__init__()
        self.register_buffer("queue", torch.randn(length, width))
        self.register_buffer("pointer", torch.zeros((), dtype=torch.long))

    def forward(self, query, key):
        query, unit = F.normalize(query, dim=1, eps=1e-6), F.normalize(key, dim=1, eps=1e-6)
        norms = torch.linalg.vector_norm(self.queue, dim=1, keepdim=True)
        bank = self.queue * norms.clamp_(min=1e-6).mul_(TEMPERATURE).reciprocal_()
        positive = (query * unit).sum(dim=1, keepdim=True) / TEMPERATURE
        logits = torch.cat([positive, query @ bank.T], dim=1)
        if self.training:
            self.enqueue(key.detach())
        return logits

    @torch.no_grad()
    def enqueue(self, key):
        length = self.queue.shape[0]
        rows = torch.arange(len(key), device=key.device).add_(self.pointer).remainder_(length)
        self.queue.index_copy_(0, rows, key.to(self.queue.dtype))
        self.pointer.add_(len(key)).remainder_(length)
