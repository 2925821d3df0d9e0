"""Adds what each view of the student is compared with, and takes one product a view.

baseline: dino_loss
needs: cpu
written: after-freeze
"""

import torch
from torch import nn

WARM, COLD, KEPT = 0.1, 0.04, 0.9


class Model(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("centre", torch.zeros(size))

    def forward(self, student, teacher):
        teacher = teacher.detach()
        wanted = torch.softmax((teacher - self.centre) / COLD, dim=-1)
        found = torch.log_softmax(student / WARM, dim=-1)
        views, marks = found.shape[0], wanted.shape[0]
        others = wanted.sum(dim=0).expand(found.shape).clone()
        shared = min(views, marks)
        others[:shared] -= wanted[:shared]
        with torch.no_grad():
            self.centre.copy_(self.centre * KEPT + teacher.mean(dim=(0, 1)) * (1 - KEPT))
        return -(others * found).sum() / (student.shape[1] * (views * marks - shared))
