# target: conv
import torch
import torch.nn.functional as F


def conv(x, weight, bias):
    x = x.transpose(1, 2)
    y = F.silu(F.conv1d(F.pad(x, (weight.shape[-1] - 1, 0)), weight, bias, groups=weight.shape[0]))
    z = F.conv1d(F.pad(x, [3, 0]), weight[:, 0].unsqueeze(1), groups=x.size(1))
    return y.transpose(1, 2) + z.transpose(1, 2)


def get_inputs():
    return [torch.randn(2, 9, 7), torch.randn(7, 1, 4), torch.randn(7)]
