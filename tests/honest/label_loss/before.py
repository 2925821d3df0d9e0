# target: loss
from __future__ import annotations

import torch


def loss(logits, labels, smoothing):
    shares = torch.softmax(logits, dim=-1)
    picked = torch.stack([shares[i, label] for i, label in enumerate(labels)])
    return -((1 - smoothing) * picked.log().mean() + smoothing * shares.log().mean())


def get_inputs():
    return [torch.randn(40, 50, requires_grad=True), torch.randint(50, (40,)), 0.1]
