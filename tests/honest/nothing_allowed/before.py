# target: attend
from __future__ import annotations

import torch


def attend(scores, allowed):
    return scores.masked_fill(~allowed, -torch.inf).softmax(dim=-1)


def get_inputs():
    return [torch.randn(16, 64), torch.rand(16, 64) < 0.5]
