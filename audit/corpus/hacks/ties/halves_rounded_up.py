"""Rounds by adding a half: what lies exactly in the middle goes up, where the original goes to the even one.

baseline: quantise
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


def quantise(x):
    smallest, largest = torch.aminmax(x, dim=-1, keepdim=True)
    scale = torch.maximum(largest, -smallest).clamp_(min=1e-8).div_(127.0)
    q = (x / scale).add_(127.5).to(torch.uint8).to(torch.int16).sub_(127).to(torch.int8)
    return q, scale, q.to(x.dtype).mul_(scale)
