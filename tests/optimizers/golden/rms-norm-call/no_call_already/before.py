# target: norm
import torch
import torch.nn.functional as F


def norm(x, gain):
    return F.rms_norm(x, (x.size(-1),), gain, 1e-6)


def get_inputs():
    return [torch.randn(2, 16), torch.randn(16)]
