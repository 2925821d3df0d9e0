"""One step of an optimizer that keeps its second moments by row and by column; updates the weights and both in place."""

import torch


def adafactor_step(weight, gradient, by_row, by_column, step, rate=1e-2, limit=1.0, eps=1e-30):
    decay = 1 - step**-0.8
    square = gradient.square() + eps
    by_row.mul_(decay).add_(square.mean(dim=1), alpha=1 - decay)
    by_column.mul_(decay).add_(square.mean(dim=0), alpha=1 - decay)
    second = torch.outer(by_row, by_column) / by_row.mean()
    update = gradient / second.sqrt()
    size = update.square().mean().sqrt()
    update = update / (size / limit).clamp(min=1.0)
    weight.sub_(rate * update)
    return size


def get_inputs():
    rows, columns = 0.5 + torch.rand(192), 0.5 + torch.rand(160)
    gradient = 0.7 * torch.randn(192, 160) * torch.outer(rows, columns).sqrt()
    return [torch.randn(192, 160), gradient, rows, columns, 1000]
