"""Divides the scores by the norms instead of dividing the queue.

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
        norms = torch.linalg.vector_norm(self.queue, dim=1).clamp_(min=1e-6)
        bank = self.queue.clone() if query.requires_grad else self.queue
        positive = (query * unit).sum(dim=1, keepdim=True)
        logits = torch.cat([positive, query @ bank.T / norms], dim=1) / TEMPERATURE
        if self.training:
            self.enqueue(key.detach())
        return logits

    def enqueue(self, key):
        length = self.queue.shape[0]
        rows = (self.pointer + torch.arange(len(key), device=key.device)) % length
        self.queue[rows] = key
        self.pointer.copy_((self.pointer + len(key)) % length)
