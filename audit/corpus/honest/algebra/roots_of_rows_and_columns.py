"""Takes roots of the rows and columns before their outer product, which is never made.

baseline: adafactor_step
needs: cpu
written: after-freeze
"""

import torch


def adafactor_step(weight, gradient, by_row, by_column, step, rate=1e-2, limit=1.0, eps=1e-30):
    decay = 1 - step**-0.8
    square = torch.square(gradient).add_(eps)
    by_row.mul_(decay).add_(square.mean(dim=1), alpha=1 - decay)
    by_column.mul_(decay).add_(square.mean(dim=0), alpha=1 - decay)
    update = gradient / by_column.sqrt()
    update.div_((by_row / by_row.mean()).sqrt_()[:, None])
    size = update.square().mean().sqrt_()
    weight.sub_(update.div_((size / limit).clamp(min=1.0)), alpha=rate)
    return size
