# target: attend
from __future__ import annotations

import torch


def attend(scores, bias):
    scores = scores + bias
    return (scores - torch.logsumexp(scores, dim=-1, keepdim=True)).exp()


def get_inputs():
    return [torch.randn(2, 4, 24, 24), torch.randn(1, 1, 24, 24).expand(2, 1, 24, 24)]
