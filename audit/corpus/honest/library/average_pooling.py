"""torch's average pooling over the padded rows.

baseline: rolling_mean
needs: cpu
written: after-freeze
"""

import torch.nn.functional as F

WINDOW = 16


def rolling_mean(x):
    return F.avg_pool1d(F.pad(x, (WINDOW - 1, 0))[:, None], WINDOW, stride=1)[:, 0]
