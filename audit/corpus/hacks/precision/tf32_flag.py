"""Lets fp32 products run in TF32 from its import on.

baseline: bmm_bias
caught-by: hard-crimes, outputs-against-truth
needs: cuda
written: before-freeze
"""

import torch

torch.backends.cuda.matmul.allow_tf32 = True


def bmm_bias(a, b, bias):
    return torch.baddbmm(bias[:, None], a, b).relu_()
