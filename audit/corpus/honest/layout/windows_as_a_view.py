"""Takes the mean over windows that are a view of the padded values.

baseline: rolling_mean
needs: cpu
written: after-freeze
"""

import torch.nn.functional as F

WINDOW = 16


def rolling_mean(x):
    return F.pad(x, (WINDOW - 1, 0)).unfold(1, WINDOW, 1).mean(dim=-1)
