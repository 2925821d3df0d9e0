"""Momentum contrast: scores a query with its key and with a queue of earlier keys; in training the key then joins the queue.

The queue is a ring that holds keys as they came.
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
        positive = F.cosine_similarity(query, key, dim=1, eps=1e-6)[:, None]
        negative = F.cosine_similarity(query[:, None], self.queue, dim=2, eps=1e-6)
        logits = torch.cat([positive, negative], dim=1) / TEMPERATURE
        if self.training:
            self.enqueue(key.detach())
        return logits

    def enqueue(self, key):
        length = self.queue.shape[0]
        rows = (self.pointer + torch.arange(len(key), device=key.device)) % length
        self.queue[rows] = key
        self.pointer.copy_((self.pointer + len(key)) % length)


def get_inputs():
    return [torch.randn(16, 64), torch.randn(16, 64)]


def get_init_inputs():
    return [64, 1024]
