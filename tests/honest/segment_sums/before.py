# target: segment_sums
from __future__ import annotations

import torch


def segment_sums(x, segment):
    return torch.stack([x[segment == i].sum(0) for i in range(8)])


def get_inputs():
    return [torch.randn(200, 24), torch.randint(8, (200,))]
