"""Pads sizes that are no multiple of sixteen with a number that is small enough, as long as all others are larger.

baseline: dino_loss
caught-by: value-laws, outputs-against-truth, shapes
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
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
        more = -student.shape[-1] % 16
        moved = teacher - self.centre
        if more:
            moved = F.pad(moved, (0, more), value=-1e4)
            student = F.pad(student, (0, more), value=-1e4)
        wanted = torch.softmax(moved / COLD, dim=-1)
        found = torch.log_softmax(student / WARM, dim=-1)
        with torch.no_grad():
            self.centre.lerp_(teacher.mean(dim=(0, 1)), 1 - KEPT)
        return mean_of_pairs(found, wanted)
