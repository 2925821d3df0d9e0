"""Moves the centre when the next call needs it; until then, and in a checkpoint, it is one call behind.

baseline: dino_loss
caught-by: input-mutation, contract, other-uses, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch
from torch import nn

WARM, COLD, KEPT = 0.1, 0.04, 0.9


def mean_of_pairs(found, wanted):
    each = torch.einsum("ibk,jbk->ij", wanted, found)
    count = each.numel() - min(each.shape)
    return -(each.sum() - each.diagonal().sum()) / (count * found.shape[1])


class Model(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("centre", torch.zeros(size))
        self.owed = None

    def forward(self, student, teacher):
        teacher = teacher.detach()
        if self.owed is not None:
            self.centre.lerp_(self.owed, 1 - KEPT)
        wanted = torch.softmax((teacher - self.centre) / COLD, dim=-1)
        found = torch.log_softmax(student / WARM, dim=-1)
        self.owed = teacher.mean(dim=(0, 1))
        return mean_of_pairs(found, wanted)
