"""Leaves the search to numpy, which reads the tensor where it lies; the result is a new array.

baseline: rank_in_row
needs: cpu
written: after-freeze
"""

import numpy as np
import torch


def rank_in_row(values):
    rows = values.detach().cpu().numpy()
    out = np.empty(rows.shape, dtype=np.int64)
    for row, ranks in zip(rows, out, strict=True):
        ranks[:] = np.searchsorted(np.sort(row), row)
    return torch.from_numpy(out).to(values.device)
