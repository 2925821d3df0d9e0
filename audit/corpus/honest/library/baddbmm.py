"""One batched product that starts from the bias.

baseline: bmm_bias
needs: cpu
written: before-freeze
"""

import torch


def bmm_bias(a, b, bias):
    return torch.baddbmm(bias[:, None], a, b).relu_()
