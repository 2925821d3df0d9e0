"""Sends the whole gradient along the best alignment, where the soft minimum spreads it over all of them.

baseline: soft_dtw
caught-by: gradients-against-truth
needs: cpu
written: after-freeze
"""

import numpy as np
import torch


class Warp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, distances, gamma):
        batch, rows, columns = distances.shape
        costs = distances.detach().cpu().double().numpy()
        table = np.full((batch, rows + 1, columns + 1), np.inf)
        table[:, 0, 0] = 0
        for i in range(rows):
            for j in range(columns):
                before = np.stack([table[:, i, j], table[:, i, j + 1], table[:, i + 1, j]])
                least = before.min(axis=0)
                soft = least - gamma * np.log(np.exp((least - before) / gamma).sum(axis=0))
                table[:, i + 1, j + 1] = costs[:, i, j] + soft
        path = np.zeros_like(costs)
        for b in range(batch):
            i, j = rows, columns
            while i > 0 and j > 0:
                path[b, i - 1, j - 1] = 1
                steps = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
                i, j = min(steps, key=lambda step: table[b, step[0], step[1]])
        ctx.save_for_backward(torch.from_numpy(path).to(distances))
        return torch.from_numpy(table[:, -1, -1].copy()).to(distances)

    @staticmethod
    def backward(ctx, incoming):
        (path,) = ctx.saved_tensors
        return path * incoming[:, None, None], None


def soft_dtw(distances, gamma):
    return Warp.apply(distances, gamma)
