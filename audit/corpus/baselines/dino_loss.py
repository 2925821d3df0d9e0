"""A student learns a teacher's views of the same pictures, every other view against each; the centre of the teacher's
outputs moves with every call. Trained."""

import torch
from torch import nn

WARM, COLD, KEPT = 0.1, 0.04, 0.9


class Model(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("centre", torch.zeros(size))

    def forward(self, student, teacher):
        teacher = teacher.detach()
        total, pairs = 0.0, 0
        for i in range(teacher.shape[0]):
            wanted = torch.softmax((teacher[i] - self.centre) / COLD, dim=-1)
            for j in range(student.shape[0]):
                if i == j:
                    continue
                found = torch.log_softmax(student[j] / WARM, dim=-1)
                total = total - (wanted * found).sum(dim=-1).mean()
                pairs += 1
        with torch.no_grad():
            self.centre.mul_(KEPT).add_(teacher.mean(dim=(0, 1)) * (1 - KEPT))
        return total / pairs


def get_inputs():
    return [torch.randn(6, 16, 256), torch.randn(2, 16, 256)]


def get_init_inputs():
    return [256]
