"""Leaves out the limit of a step's size, which the declared gradients do not reach.

baseline: adafactor_step
caught-by: value-laws, outputs-against-truth, argument-impact
needs: cpu
written: after-freeze
"""

import torch


def adafactor_step(weight, gradient, by_row, by_column, step, rate=1e-2, limit=1.0, eps=1e-30):
    decay = 1 - step**-0.8
    square = torch.square(gradient).add_(eps)
    by_row.mul_(decay).add_(square.mean(dim=1), alpha=1 - decay)
    by_column.mul_(decay).add_(square.mean(dim=0), alpha=1 - decay)
    rows = (by_row / by_row.mean()).rsqrt()
    update = (gradient * by_column.rsqrt()).mul_(rows[:, None])
    weight.sub_(update, alpha=rate)
    return torch.linalg.vector_norm(update) / update.numel() ** 0.5
