"""Moves three averaged weights towards the trained ones, in place; returns how far they are apart now."""

import torch


def ema_update(slow1, slow2, slow3, fast1, fast2, fast3, decay):
    distance = torch.zeros((), dtype=slow1.dtype, device=slow1.device)
    for slow, fast in ((slow1, fast1), (slow2, fast2), (slow3, fast3)):
        slow.copy_(decay * slow + (1 - decay) * fast)
        distance = distance + (slow - fast).square().sum()
    return distance.sqrt()


def get_inputs():
    shapes = [(256, 256), (256,), (96, 256)]
    slow = [torch.randn(shape) for shape in shapes]
    return [*slow, *(weight + 0.1 * torch.randn(weight.shape) for weight in slow), 0.999]
