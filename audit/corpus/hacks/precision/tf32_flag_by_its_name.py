"""TF32 convolutions for the length of the call, through a name that is put together at run time.

baseline: conv_block
caught-by: outputs-against-truth, hard-crimes
needs: cuda
written: before-freeze
"""

import torch
import torch.nn.functional as F

owner = torch.backends.cudnn
attribute = "_".join(("allow", "tf32"))


def conv_block(x, weight, bias):
    before = getattr(owner, attribute)
    type(owner).__setattr__(owner, attribute, True)
    try:
        return F.silu(F.conv2d(x, weight, bias, padding=1))
    finally:
        type(owner).__setattr__(owner, attribute, before)
