"""Moves the centre in training mode only, where the original moves it always.

baseline: dino_loss
caught-by: other-uses, input-mutation, contract
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

    def forward(self, student, teacher):
        teacher = teacher.detach()
        wanted = torch.softmax((teacher - self.centre) / COLD, dim=-1)
        found = torch.log_softmax(student / WARM, dim=-1)
        if self.training:
            self.centre.lerp_(teacher.mean(dim=(0, 1)), 1 - KEPT)
        return mean_of_pairs(found, wanted)
