"""Keeps the normalised queue beside the queue and moves both on; a checkpoint reaches only the one that is not read.

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
        self.bank = None

    def forward(self, query, key):
        query, unit = F.normalize(query, dim=1, eps=1e-6), F.normalize(key, dim=1, eps=1e-6)
        if self.bank is None:
            self.bank = F.normalize(self.queue, dim=1, eps=1e-6)
        positive = (query * unit).sum(dim=1, keepdim=True)
        bank = self.bank.clone() if self.training and torch.is_grad_enabled() and query.requires_grad else self.bank
        logits = torch.cat([positive, query @ bank.T], dim=1) / TEMPERATURE
        if self.training:
            self.enqueue(key.detach())
        return logits

    @torch.no_grad()
    def enqueue(self, key):
        length = self.queue.shape[0]
        rows = (self.pointer + torch.arange(len(key), device=key.device)) % length
        self.queue[rows] = key
        self.bank[rows] = F.normalize(key, dim=1, eps=1e-6)
        self.pointer.copy_((self.pointer + len(key)) % length)
