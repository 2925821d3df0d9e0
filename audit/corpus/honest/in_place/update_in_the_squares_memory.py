"""Writes the second moments and the update into the memory of the squared gradient.

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
    torch.outer(by_row, by_column, out=square).div_(by_row.mean()).sqrt_()
    update = torch.div(gradient, square, out=square)
    size = torch.linalg.vector_norm(update) / update.numel() ** 0.5
    weight.sub_(update.mul_(rate / (size / limit).clamp(min=1.0)))
    return size
