"""One AdamW update of one tensor, out of place: new weights and moments."""

import torch

LR, BETA1, BETA2, EPS, DECAY = 1e-3, 0.9, 0.95, 1e-8, 0.1


def adamw_step(weight, grad, first, second, step):
    weight = weight * (1 - LR * DECAY)
    first = BETA1 * first + (1 - BETA1) * grad
    second = BETA2 * second + (1 - BETA2) * grad * grad
    corrected1 = first / (1 - BETA1**step)
    corrected2 = second / (1 - BETA2**step)
    return weight - LR * corrected1 / (torch.sqrt(corrected2) + EPS), first, second


def get_inputs():
    shape = (512, 512)
    return [torch.randn(shape), 0.1 * torch.randn(shape), 0.01 * torch.randn(shape), 0.001 * torch.rand(shape), 100]
