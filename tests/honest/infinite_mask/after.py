# target: attend
from __future__ import annotations

import torch


def attend(scores, mask):
    scores = scores + mask
    return (scores - torch.logsumexp(scores, dim=-1, keepdim=True)).exp()


def get_inputs():
    return [torch.randn(2, 4, 24, 24), torch.full((24, 24), float("-inf")).triu(1)]
