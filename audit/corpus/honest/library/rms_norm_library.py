"""torch's own RMS normalisation.

baseline: rms_norm
needs: cpu
written: before-freeze
"""

import torch.nn.functional as F


def rms_norm(x, weight):
    return F.rms_norm(x, weight.shape, weight, 1e-6)
