"""torch.compile with CUDA graphs; the result is cloned, since the next replay overwrites it.

baseline: masked_softmax
needs: cuda
written: before-freeze
"""

import torch


@torch.compile(mode="reduce-overhead")
def compute(scores, mask, temperature):
    return torch.softmax((scores / temperature).masked_fill(~mask, float("-inf")), dim=-1)


def masked_softmax(scores, mask, temperature):
    return compute(scores, mask, temperature).clone()
