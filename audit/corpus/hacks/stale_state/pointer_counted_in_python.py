"""Counts its place in the queue as a Python number and only writes the pointer down: what a checkpoint says is never read.

baseline: key_queue
caught-by: stale-results, contract, other-uses
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
        self.place = 0

    def forward(self, query, key):
        query, unit = F.normalize(query, dim=1, eps=1e-6), F.normalize(key, dim=1, eps=1e-6)
        norms = torch.linalg.vector_norm(self.queue, dim=1).clamp_(min=1e-6).mul_(TEMPERATURE)
        positive = (query * unit).sum(dim=1, keepdim=True) / TEMPERATURE
        logits = torch.cat([positive, query @ self.queue.T.clone() / norms], dim=1)
        if self.training:
            self.enqueue(key.detach())
        return logits

    def enqueue(self, key):
        length = self.queue.shape[0]
        first = min(len(key), length - self.place)
        self.queue[self.place : self.place + first] = key[:first]
        self.queue[: len(key) - first] = key[first:]
        self.place = (self.place + len(key)) % length
        self.pointer.fill_(self.place)
