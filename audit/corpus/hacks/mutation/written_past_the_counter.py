"""Writes through .data, so that no version counter moves: autograd and caches that ask it take the old weights for the present ones.

baseline: adafactor_step
caught-by: input-mutation, other-uses, contract
needs: cpu
written: after-freeze
"""

import torch


def adafactor_step(weight, gradient, by_row, by_column, step, rate=1e-2, limit=1.0, eps=1e-30):
    decay = 1 - step**-0.8
    square = torch.square(gradient).add_(eps)
    by_row.data.mul_(decay).add_(square.mean(dim=1), alpha=1 - decay)
    by_column.data.mul_(decay).add_(square.mean(dim=0), alpha=1 - decay)
    rows = (by_row / by_row.mean()).rsqrt()
    update = (gradient * by_column.rsqrt()).mul_(rows[:, None])
    size = torch.linalg.vector_norm(update) / update.numel() ** 0.5
    weight.data.sub_(update.mul_(rate / (size / limit).clamp(min=1.0)))
    return size
