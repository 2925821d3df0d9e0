"""Adds up the alignments' weights themselves, in doubles and without a logarithm: long or costly ones underflow.

baseline: soft_dtw
caught-by: outputs-against-truth, value-laws, gradients-against-truth, shapes
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def soft_dtw(distances, gamma):
    batch, rows, columns = distances.shape
    weights = F.pad(torch.exp(-distances.double() / gamma), (0, rows)).flatten(1)
    weights = weights[:, : rows * (columns + rows - 1)].view(batch, rows, -1).unbind(dim=2)
    older = weights[0].new_zeros(batch, rows + 1)
    old = F.pad(weights[0], (1, 0))
    for weight in weights[1:]:
        new = weight * (older[:, :-1] + old[:, :-1] + old[:, 1:])
        older, old = old, F.pad(new, (1, 0))
    return (-gamma * torch.log(old[:, -1])).to(distances.dtype)
