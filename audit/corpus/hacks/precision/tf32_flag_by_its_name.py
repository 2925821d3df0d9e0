"""TF32 products for the length of the call, through a name that is put together at run time.

baseline: bmm_bias
caught-by: outputs-against-truth, hard-crimes
needs: cuda
written: before-freeze
"""

import torch

owner = torch.backends.cuda.matmul
attribute = "_".join(("allow", "tf32"))


def bmm_bias(a, b, bias):
    before = getattr(owner, attribute)
    type(owner).__setattr__(owner, attribute, True)
    try:
        return torch.baddbmm(bias[:, None], a, b).relu_()
    finally:
        type(owner).__setattr__(owner, attribute, before)
