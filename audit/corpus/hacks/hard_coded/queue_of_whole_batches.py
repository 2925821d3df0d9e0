"""Writes a batch as one slice and starts anew where the next would not fit: right for batches that divide the queue.

baseline: key_queue
caught-by: shapes, contract, outputs-against-truth, stale-results
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
        norms = torch.linalg.vector_norm(self.queue, dim=1).clamp_(min=1e-6).mul_(TEMPERATURE)
        positive = (query * unit).sum(dim=1, keepdim=True) / TEMPERATURE
        logits = torch.cat([positive, query @ self.queue.T.clone() / norms], dim=1)
        if self.training:
            self.enqueue(key.detach())
        return logits

    def enqueue(self, key):
        start, count, length = int(self.pointer), len(key), self.queue.shape[0]
        stop = min(start + count, length)
        self.queue[start:stop] = key[: stop - start]
        self.pointer.fill_(stop % length if stop + count <= length else 0)
