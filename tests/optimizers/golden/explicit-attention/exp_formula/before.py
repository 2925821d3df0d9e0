# target: attend
import math

import torch


def attend(q, k, v, pad):
    low = torch.finfo(q.dtype).min
    scores = torch.baddbmm(torch.zeros(1, 1, 1), q, k.transpose(1, 2), beta=0, alpha=1 / math.sqrt(q.size(-1)))
    scores = scores.masked_fill(pad == 0, low)
    scores = scores - scores.max(dim=-1, keepdim=True)[0]
    weights = torch.exp(scores)
    weights = weights / weights.sum(dim=-1, keepdim=True)
    return torch.bmm(weights, v)


def get_inputs():
    pad = torch.ones(2, 17, 18)
    pad[:, :, 4:] = 0
    return [torch.randn(2, 17, 8), torch.randn(2, 18, 8), torch.randn(2, 18, 8), pad]
