"""All cells of an anti-diagonal in one step.

baseline: soft_dtw
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def soft_dtw(distances, gamma):
    batch, rows, columns = distances.shape
    far = float("inf")
    skewed = F.pad(distances, (0, rows)).flatten(1)[:, : rows * (columns + rows - 1)]
    cells = skewed.view(batch, rows, -1).unbind(dim=2)
    outside = torch.arange(rows, device=distances.device)
    older = F.pad(distances.new_zeros(batch, 1), (0, rows), value=far)
    old = distances.new_full((batch, rows + 1), far)
    for n, cell in enumerate(cells):
        before = torch.stack([older[:, :-1], old[:, :-1], old[:, 1:]])
        inside = (outside <= n) & (outside > n - columns)
        before = torch.where(inside, before, 0.0)
        new = cell - gamma * torch.logsumexp(-before / gamma, dim=0)
        older, old = old, F.pad(torch.where(inside, new, far), (1, 0), value=far)
    return old[:, -1]
