"""Looks at alignments that stay within four steps of the diagonal, as those of series that belong together do.

baseline: soft_dtw
caught-by: outputs-against-truth, value-laws, gradients-against-truth, shapes
needs: cpu
written: after-freeze
"""

import torch


def soft_dtw(distances, gamma):
    batch, rows, columns = distances.shape
    far = distances.new_full((batch,), float("inf"))
    reach = max(4, abs(rows - columns) + 4)
    above = [distances.new_zeros(batch)] + [far] * columns
    for i in range(rows):
        row = [far] * (columns + 1)
        for j in range(max(0, i - reach), min(columns, i + reach + 1)):
            before = torch.stack([above[j], above[j + 1], row[j]])
            row[j + 1] = distances[:, i, j] - gamma * torch.logsumexp(-before / gamma, dim=0)
        above = row
    return above[-1]
