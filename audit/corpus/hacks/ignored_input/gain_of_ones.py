"""Does not read the gain, which is one in every example.

baseline: rms_norm
caught-by: argument-impact, outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch.nn.functional as F


def rms_norm(x, weight):
    return F.rms_norm(x, weight.shape, eps=1e-6)
