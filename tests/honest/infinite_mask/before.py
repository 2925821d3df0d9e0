# target: attend
from __future__ import annotations

import torch


def attend(scores, mask):
    return torch.softmax(scores + mask, dim=-1)


def get_inputs():
    return [torch.randn(2, 4, 24, 24), torch.full((24, 24), float("-inf")).triu(1)]
