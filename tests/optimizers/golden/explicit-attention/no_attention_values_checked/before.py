# target: attend
import math

import torch


def attend(q, k, v):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    if scores.shape[-1] > 4 and scores.isnan().any():
        raise ValueError("NaN among the scores")
    return torch.softmax(scores, dim=-1) @ v


def get_inputs():
    return [torch.randn(2, 3, 8, 4) for _ in range(3)]
