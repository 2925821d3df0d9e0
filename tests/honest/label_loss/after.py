# target: loss
from __future__ import annotations

import torch


def loss(logits, labels, smoothing):
    logs = logits.log_softmax(-1)
    picked = logs.gather(1, labels[:, None])[:, 0]
    return -((1 - smoothing) * picked.mean() + smoothing * logs.mean())


def get_inputs():
    return [torch.randn(40, 50, requires_grad=True), torch.randint(50, (40,)), 0.1]
